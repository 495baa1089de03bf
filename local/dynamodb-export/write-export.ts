import { createHash, randomBytes } from 'node:crypto';
import { createGzip } from 'node:zlib';
import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** Where the stand-in finds the tables and the bucket. */
export interface ExportEndpoints {
  readonly dynamodbEndpoint: string;
  readonly s3Endpoint: string;
  readonly region: string;
}

export interface ExportJob {
  readonly exportArn: string;
  readonly tableArn: string;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly exportTime: number;
  readonly s3Bucket: string;
  readonly s3Prefix: string | undefined;
  readonly s3SseAlgorithm: 'AES256' | 'KMS';
  readonly s3SseKmsKeyId: string | undefined;
}

export interface WrittenExport {
  readonly tableId: string | undefined;
  readonly itemCount: number;
  readonly billedSizeBytes: number;
  /** The key of `manifest-summary.json`. */
  readonly manifestKey: string;
}

/** Files of a table's items; DynamoDB makes one for each partition, some of them empty. */
const SEGMENTS = 3;

/**
 * Writes a table as DynamoDB does (Developer Guide, "DynamoDB table export output format"), with the file names and keys
 * that real exports have: `.md5` files, and keys from the bucket's root on. The summary comes last.
 *
 * @param now milliseconds since the epoch.
 */
export async function writeExport(
  job: ExportJob,
  { dynamodbEndpoint, s3Endpoint, region }: ExportEndpoints,
  now: () => number,
): Promise<WrittenExport> {
  const credentials = { accessKeyId: 'dynamodb', secretAccessKey: 'dynamodb' };
  const tables = new DynamoDBClient({ endpoint: dynamodbEndpoint, region, credentials });
  const bucket = new S3Client({ endpoint: s3Endpoint, region, credentials });
  const exportId = job.exportArn.slice(job.exportArn.lastIndexOf('/') + 1);
  const folder = `${job.s3Prefix === undefined ? '' : `${job.s3Prefix}/`}AWSDynamoDB/${exportId}/`;
  const put = async (name: string, body: Buffer): Promise<string> => {
    const { ETag: etag = '' } = await bucket.send(
      new PutObjectCommand({ Bucket: job.s3Bucket, Key: folder + name, Body: body, ...encryption(job) }),
    );
    return etag.replaceAll('"', '');
  };
  const putWithMd5 = async (name: string, text: string): Promise<void> => {
    await put(`${name}.json`, Buffer.from(text));
    await put(`${name}.md5`, Buffer.from(md5(Buffer.from(text))));
  };
  try {
    const TableName = job.tableArn.slice(job.tableArn.lastIndexOf('/') + 1);
    const { Table: table } = await tables.send(new DescribeTableCommand({ TableName }));
    await put('_started', Buffer.alloc(0));
    const files = [];
    for (let segment = 0; segment < SEGMENTS; segment += 1) {
      const { body, itemCount } = await scan(tables, TableName, segment);
      const name = `data/${randomBytes(13).toString('hex')}.json.gz`;
      const etag = await put(name, body);
      files.push({ itemCount, md5Checksum: md5(body), etag, dataFileS3Key: folder + name });
    }
    await putWithMd5('manifest-files', files.map((file) => `${JSON.stringify(file)}\n`).join(''));
    const itemCount = files.reduce((sum, file) => sum + file.itemCount, 0);
    const billedSizeBytes = table?.TableSizeBytes ?? 0;
    const summary = {
      version: '2020-06-30',
      exportArn: job.exportArn,
      startTime: new Date(job.startTime).toISOString(),
      endTime: new Date(now()).toISOString(),
      tableArn: job.tableArn,
      tableId: table?.TableId ?? null,
      exportTime: new Date(job.exportTime).toISOString(),
      s3Bucket: job.s3Bucket,
      s3Prefix: job.s3Prefix ?? null,
      s3SseAlgorithm: job.s3SseAlgorithm,
      s3SseKmsKeyId: job.s3SseKmsKeyId ?? null,
      manifestFilesS3Key: `${folder}manifest-files.json`,
      billedSizeBytes,
      itemCount,
      outputFormat: 'DYNAMODB_JSON',
      exportType: 'FULL_EXPORT',
    };
    await putWithMd5('manifest-summary', JSON.stringify(summary));
    return {
      tableId: table?.TableId,
      itemCount,
      billedSizeBytes,
      manifestKey: `${folder}manifest-summary.json`,
    };
  } finally {
    tables.destroy();
    bucket.destroy();
  }
}

function encryption({ s3SseAlgorithm, s3SseKmsKeyId }: ExportJob) {
  return s3SseAlgorithm === 'AES256'
    ? ({ ServerSideEncryption: 'AES256' } as const)
    : ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: s3SseKmsKeyId } as const);
}

/** One part of a table: the gzip of `{"Item":{…}}`, one a line. */
async function scan(client: DynamoDBClient, TableName: string, Segment: number) {
  const gzip = createGzip();
  const collected = gzip.toArray();
  let itemCount = 0;
  const input = { TableName, ConsistentRead: true, Segment, TotalSegments: SEGMENTS };
  for await (const { Items: items = [] } of paginateScan({ client }, input)) {
    for (const item of items) gzip.write(`${dynamoJson(item)}\n`);
    itemCount += items.length;
  }
  gzip.end();
  return { body: Buffer.concat(await collected), itemCount };
}

/** DynamoDB JSON: attributes with their types, and bytes in base64. */
function dynamoJson(item: Record<string, AttributeValue>): string {
  return JSON.stringify({ Item: item }, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64');
}
