import {
  DescribeTableCommand,
  DynamoDBClient,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import type { TableExports } from '../core/backup/table-exports.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';

export interface ExportTarget {
  readonly bucket: string;
  /** The KMS key that encrypts what is written. Unless it is named, DynamoDB lets S3 encrypt with a key of S3's own. */
  readonly keyArn: string;
}

/** DynamoDB looks at table, recovery window and bucket before it answers. */
const REQUEST_TIMEOUT_MS = 10_000;

/** What DynamoDB refuses however often it is asked, and what to do about it. */
const REFUSALS: Readonly<Record<string, string>> = {
  ExportConflictException:
    'this export was asked for otherwise before. Wait for the next full hour and run it again',
  InvalidExportTimeException:
    'its point-in-time recovery does not reach back so far yet. Run it again in two hours',
  PointInTimeRecoveryUnavailableException: 'its point-in-time recovery is off. Turn it on',
  ResourceNotFoundException: 'it does not exist',
  TableNotFoundException: 'it does not exist',
};

/** @param endpoint where exports are asked for, if not where the tables are. */
export function createExportClient(endpoint?: string): DynamoDBClient {
  const { requestHandler } = CLIENT_CONFIG;
  return new DynamoDBClient({
    ...CLIENT_CONFIG,
    requestHandler: { ...requestHandler, requestTimeout: REQUEST_TIMEOUT_MS },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

/**
 * The `TableExports` port: DynamoDB's own export to S3, full and in DynamoDB JSON. The role needs
 * `dynamodb:DescribeTable` and `dynamodb:ExportTableToPointInTime` on the tables, and on the bucket and its key what
 * writing takes: DynamoDB writes in its name.
 */
export function createDynamoExports(
  { bucket, keyArn }: ExportTarget,
  tables: Pick<DynamoDBClient, 'send'>,
  exporter: Pick<DynamoDBClient, 'send'> = tables,
): TableExports {
  return {
    async start({ tableName, instant, prefix, clientToken }) {
      try {
        const { Table: table } = await tables.send(new DescribeTableCommand({ TableName: tableName }));
        const command = new ExportTableToPointInTimeCommand({
          TableArn: table?.TableArn,
          ExportTime: new Date(instant),
          ExportFormat: 'DYNAMODB_JSON',
          ExportType: 'FULL_EXPORT',
          S3Bucket: bucket,
          S3Prefix: prefix,
          S3SseAlgorithm: 'KMS',
          S3SseKmsKeyId: keyArn,
          ClientToken: clientToken,
        });
        const { ExportDescription: started } = await exporter.send(command);
        if (started?.ExportArn === undefined) throw unexpectedReply();
        return started.ExportArn;
      } catch (error) {
        const reason = REFUSALS[errorName(error)];
        if (reason !== undefined) {
          throw new Error(`The table ${tableName} cannot be exported: ${reason}.`, { cause: error });
        }
        if (error instanceof TypeError || errorName(error) === 'ValidationException') throw error;
        throw unavailable('DynamoDB does not start exports right now. Try again.', error);
      }
    },
  };
}

function unexpectedReply(): Error {
  return unavailable('DynamoDB gave an unexpected answer, which was not used. Try again.');
}
