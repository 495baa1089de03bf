import {
  DescribeTableCommand,
  DynamoDBClient,
  ExportConflictException,
  ExportTableToPointInTimeCommand,
  InvalidExportTimeException,
  PointInTimeRecoveryUnavailableException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { createDynamoExports, createExportClient } from '../../../aws/dynamo-exports.ts';

const region = 'us-east-1';
const TableArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/vault';
const ExportArn = `${TableArn}/export/01795305600000-ab`;
const target = { bucket: 'backups', keyArn: 'arn:aws:kms:us-east-1:000000000000:key/1' };
const request = {
  tableName: 'vault',
  instant: Date.parse('2026-11-22T00:00:00Z'),
  prefix: 'backups/2026-11-22T00-00-00Z/vault',
  clientToken: 'token',
};

const tablesClient = new DynamoDBClient({ region });
const exportsClient = new DynamoDBClient({ region });
const tables = mockClient(tablesClient);
const exporter = mockClient(exportsClient);
beforeEach(() => {
  tables.reset();
  exporter.reset();
  tables.on(DescribeTableCommand).resolves({ Table: { TableArn } });
});

const start = () => createDynamoExports(target, tablesClient, exportsClient).start(request);

test('asks for a full export as of the instant, encrypted with the key that was named', async () => {
  exporter.on(ExportTableToPointInTimeCommand).resolves({ ExportDescription: { ExportArn } });
  expect(await start()).toBe(ExportArn);
  expect(exporter.commandCalls(ExportTableToPointInTimeCommand)[0]?.args[0].input).toEqual({
    TableArn,
    ExportTime: new Date('2026-11-22T00:00:00Z'),
    ExportFormat: 'DYNAMODB_JSON',
    ExportType: 'FULL_EXPORT',
    S3Bucket: 'backups',
    S3Prefix: 'backups/2026-11-22T00-00-00Z/vault',
    S3SseAlgorithm: 'KMS',
    S3SseKmsKeyId: target.keyArn,
    ClientToken: 'token',
  });
});

test.each([
  [InvalidExportTimeException, /two hours/],
  [PointInTimeRecoveryUnavailableException, /Turn it on/],
  [ExportConflictException, /next full hour/],
])('says what to do about %p', async (Refusal, advice) => {
  exporter.on(ExportTableToPointInTimeCommand).rejects(new Refusal({ message: 'no', $metadata: {} }));
  await expect(start()).rejects.toThrow(advice);
});

test('says that a table does not exist, and asks for no export of it', async () => {
  tables.on(DescribeTableCommand).rejects(new ResourceNotFoundException({ message: 'no', $metadata: {} }));
  await expect(start()).rejects.toThrow('The table vault cannot be exported: it does not exist.');
  expect(exporter.calls()).toHaveLength(0);
});

test('is unavailable when DynamoDB does not answer, or answers without an export', async () => {
  exporter.on(ExportTableToPointInTimeCommand).rejects(new Error('socket hang up'));
  await expect(start()).rejects.toMatchObject({ code: 'unavailable' });
  exporter.on(ExportTableToPointInTimeCommand).resolves({});
  await expect(start()).rejects.toMatchObject({ code: 'unavailable' });
});

test('asks where it is told to, and otherwise where the tables are', async () => {
  const endpoint = await createExportClient('http://127.0.0.1:4280/_aws/export').config.endpoint?.();
  expect(endpoint).toMatchObject({ hostname: '127.0.0.1', port: 4280, path: '/_aws/export' });
  expect(createExportClient().config.endpoint).toBeUndefined();
});
