import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type JsonInput,
  optionalString,
  requireString,
  serveJsonProtocol,
  toEpochSeconds,
} from '../json-protocol.ts';
import { AwsError, type StandIn } from '../stand-in.ts';
import type { ExportEndpoints, ExportJob, WrittenExport } from './write-export.ts';

export interface DynamodbExportOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Known once the first export is asked for. */
  readonly endpoints: () => ExportEndpoints;
}

interface Export {
  readonly job: ExportJob;
  readonly clientToken: string;
  status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  /** Milliseconds since the epoch. */
  endTime?: number;
  written?: WrittenExport;
  failure?: string;
}

/** For so long the same token means the same export (DynamoDB API Reference, "ExportTableToPointInTime"). */
const TOKEN_MS = 8 * 60 * 60 * 1000;

/**
 * A stand-in for DynamoDB's export to S3, which DynamoDB Local does not have. It answers at once and writes afterwards, one
 * export after the other, through the interfaces of DynamoDB and S3, as the real one does. It keeps no history: whatever
 * time is asked for, it exports what the table holds now, so that two tables asked for as of one instant may differ by what
 * happened between. It lives in memory; an export that the end of the process cut off stays unfinished.
 *
 * A table or a bucket that does not exist fails the export, where the real one refuses the request.
 */
export function createDynamodbExport({ now, endpoints }: DynamodbExportOptions): StandIn {
  const exports: Export[] = [];
  let last: Promise<void> = Promise.resolve();

  const run = async (each: Export): Promise<void> => {
    try {
      // The AWS SDK takes a while to load, and few need it.
      const { writeExport } = await import('./write-export.ts');
      each.written = await writeExport(each.job, endpoints(), now);
      each.status = 'COMPLETED';
    } catch (error) {
      each.failure = String(error);
      each.status = 'FAILED';
    }
    each.endTime = now();
  };

  return serveJsonProtocol(
    'DynamoDB_20120810',
    {
      ExportTableToPointInTime(input) {
        const asked = {
          job: readJob(input, now()),
          clientToken: optionalString(input, 'ClientToken') ?? randomUUID(),
        };
        const earlier = exports.find(
          ({ clientToken, endTime }) =>
            clientToken === asked.clientToken && (endTime === undefined || now() - endTime < TOKEN_MS),
        );
        if (earlier !== undefined) {
          if (isDeepStrictEqual(parametersOf(earlier.job), parametersOf(asked.job))) return describe(earlier);
          throw new AwsError('ExportConflictException', 'The client token was used with other parameters.');
        }
        const started: Export = { ...asked, status: 'IN_PROGRESS' };
        exports.push(started);
        last = last.then(() => run(started));
        return describe(started);
      },

      DescribeExport(input) {
        const exportArn = requireString(input, 'ExportArn');
        const found = exports.find(({ job }) => job.exportArn === exportArn);
        if (found === undefined) throw new AwsError('ExportNotFoundException', `There is no ${exportArn}.`);
        return describe(found);
      },
    },
    '1.0',
  );
}

function readJob(input: JsonInput, startTime: number): ExportJob {
  const tableArn = requireString(input, 'TableArn');
  if (!/^arn:aws:dynamodb:[^:]*:[^:]*:table\/[\w.-]+$/.test(tableArn)) {
    throw new AwsError('ValidationException', 'TableArn is not the ARN of a table.');
  }
  for (const name of ['ExportFormat', 'ExportType'] as const) {
    const only = { ExportFormat: 'DYNAMODB_JSON', ExportType: 'FULL_EXPORT' }[name];
    if ((optionalString(input, name) ?? only) !== only) {
      throw new AwsError('ValidationException', `This stand-in has no other ${name} than ${only}.`);
    }
  }
  const algorithm = optionalString(input, 'S3SseAlgorithm') ?? 'AES256';
  if (algorithm !== 'AES256' && algorithm !== 'KMS') {
    throw new AwsError('ValidationException', 'S3SseAlgorithm is AES256 or KMS.');
  }
  const id = `${String(startTime).padStart(14, '0')}-${randomBytes(4).toString('hex')}`;
  return {
    exportArn: `${tableArn}/export/${id}`,
    tableArn,
    startTime,
    exportTime: readExportTime(input, startTime),
    s3Bucket: requireString(input, 'S3Bucket'),
    s3Prefix: optionalString(input, 'S3Prefix'),
    s3SseAlgorithm: algorithm,
    s3SseKmsKeyId: optionalString(input, 'S3SseKmsKeyId'),
  };
}

function readExportTime(input: JsonInput, now: number): number {
  const seconds = input['ExportTime'] ?? now / 1000;
  if (typeof seconds !== 'number' || !(seconds * 1000 <= now)) {
    throw new AwsError('InvalidExportTimeException', 'ExportTime is outside of the recovery window.');
  }
  return seconds * 1000;
}

/** What has to be the same when a token comes again. */
function parametersOf({ exportArn: _arn, startTime: _time, ...parameters }: ExportJob) {
  return parameters;
}

function describe({ job, clientToken, status, endTime, written, failure }: Export): JsonInput {
  return {
    ExportDescription: {
      ExportArn: job.exportArn,
      ExportStatus: status,
      ExportFormat: 'DYNAMODB_JSON',
      ExportType: 'FULL_EXPORT',
      TableArn: job.tableArn,
      StartTime: toEpochSeconds(job.startTime),
      ExportTime: toEpochSeconds(job.exportTime),
      ClientToken: clientToken,
      S3Bucket: job.s3Bucket,
      S3Prefix: job.s3Prefix,
      S3SseAlgorithm: job.s3SseAlgorithm,
      S3SseKmsKeyId: job.s3SseKmsKeyId,
      EndTime: endTime && toEpochSeconds(endTime),
      FailureCode: failure && 'UNKNOWN',
      FailureMessage: failure,
      ExportManifest: written?.manifestKey,
      TableId: written?.tableId,
      ItemCount: written?.itemCount,
      BilledSizeBytes: written?.billedSizeBytes,
    },
  };
}
