import {
  DescribeExportCommand,
  DynamoDBClient,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeCommandInput,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { createDynamoExports } from '../../../aws/dynamo-exports.ts';
import { createS3Backups } from '../../../aws/s3-backups.ts';
import { checkBackup } from '../../../core/backup/check-backup.ts';
import { backupPrefix } from '../../../core/backup/layout.ts';
import { readBackup } from '../../../core/backup/read-manifest.ts';
import { startBackup } from '../../../core/backup/start-backup.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { createDynamodbExport } from '../../../local/dynamodb-export/dynamodb-export.ts';
import { connectDynamo, createTables } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { memoryVault } from '../../support/memory-vault.ts';
import { S3Server } from './s3-server.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const HOUR_MS = 60 * 60 * 1000;
const START = Date.parse('2026-11-22T01:00:00Z');
const region = 'us-east-1';
const Bucket = 'backups';
const tables = { vault: 'vault', audit: 'audit' };
const TableArn = `arn:aws:dynamodb:${region}:000000000000:table/vault`;

describeWithDynamoDb('an export by the stand-in', (getEndpoint) => {
  const s3 = new S3Server();
  let now = START;
  let server: Awaited<ReturnType<typeof serveStandIns>>;
  let dynamo: DynamoDBDocumentClient;
  let exporter: DynamoDBClient;
  beforeAll(async () => {
    await s3.start();
    await s3.client.send(new CreateBucketCommand({ Bucket }));
    dynamo = connectDynamo(getEndpoint());
    await createTables(dynamo);
    const endpoints = () => ({ dynamodbEndpoint: getEndpoint(), s3Endpoint: s3.url, region });
    server = await serveStandIns({ '/_export': createDynamodbExport({ now: () => now, endpoints }) });
    exporter = new DynamoDBClient({ endpoint: `${server.url}/_export`, region, credentials, maxAttempts: 1 });
  });
  afterAll(async () => {
    exporter.destroy();
    dynamo.destroy();
    await server.close();
    await s3.stop();
    s3.removeFolder();
  });

  const ask = async (input: Partial<ExportTableToPointInTimeCommandInput> = {}) => {
    const all = { TableArn, S3Bucket: Bucket, ...input };
    const { ExportDescription: started } = await exporter.send(new ExportTableToPointInTimeCommand(all));
    return started ?? {};
  };
  const finished = async (ExportArn: string | undefined): Promise<ExportDescription> => {
    for (;;) {
      const { ExportDescription: found = {} } = await exporter.send(new DescribeExportCommand({ ExportArn }));
      if (found.ExportStatus !== 'IN_PROGRESS') return found;
    }
  };

  test('holds both tables, item for item, and is a backup that the check calls good', async () => {
    const item = {
      pk: 'E#ws_1#ü"\n',
      sk: 'S',
      bytes: Uint8Array.from([0, 255, 128]),
      big: 9007199254740991,
      list: [{ deep: Buffer.from('x') }, true, null],
      tags: new Set(['a', 'b']),
    };
    await dynamo.send(new PutCommand({ TableName: tables.vault, Item: item }));
    for (let seq = 0; seq < 40; seq += 1) {
      await dynamo.send(
        new PutCommand({ TableName: tables.audit, Item: { pk: `A#${seq % 7}`, sk: `R#${seq}` } }),
      );
    }
    const vault = memoryVault();
    vault.clock.advance(START - vault.clock.now());
    const raised: Alert[] = [];
    const files = createS3Backups(Bucket, s3.client);
    const exports = createDynamoExports({ bucket: Bucket, keyArn: 'arn:aws:kms:key/1' }, dynamo, exporter);
    const parts = {
      ...vault,
      tables,
      files,
      exports,
      alerts: { raise: async (alert: Alert) => void raised.push(alert) },
    };

    const started = await startBackup(parts);
    expect((await finished(started.exports.vault)).ExportStatus).toBe('COMPLETED');
    // The retry of a run that died at the end.
    expect(await startBackup(parts)).toEqual(started);
    const audit = await finished(started.exports.audit);
    expect(audit).toMatchObject({ ExportStatus: 'COMPLETED', ItemCount: 40, S3SseAlgorithm: 'KMS' });
    expect(audit.ExportTime?.getTime()).toBe(started.instant);

    const backup = await readBackup({ files }, backupPrefix(started.instant));
    expect(backup).toMatchObject({
      instant: START - HOUR_MS,
      tables: { vault: { itemCount: 1 }, audit: { itemCount: 40, exportArn: started.exports.audit } },
    });
    const lines: string[] = [];
    for (const file of backup.tables.vault.files)
      for await (const line of files.lines(file)) lines.push(line);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        Item: {
          pk: { S: 'E#ws_1#ü"\n' },
          sk: { S: 'S' },
          bytes: { B: 'AP+A' },
          big: { N: '9007199254740991' },
          list: { L: [{ M: { deep: { B: 'eA==' } } }, { BOOL: true }, { NULL: true }] },
          tags: { SS: ['a', 'b'] },
        },
      },
    ]);
    const keys: unknown[] = [];
    for (const file of backup.tables.audit.files) {
      for await (const line of files.lines(file)) keys.push(JSON.parse(line).Item.sk.S);
    }
    expect(keys.sort()).toEqual(Array.from({ length: 40 }, (_, seq) => `R#${seq}`).sort());

    expect(await checkBackup(parts)).toMatchObject({
      status: 'good',
      newest: { items: { vault: 1, audit: 40 } },
    });
    expect(raised).toEqual([]);
  });

  test('has the files that DynamoDB writes', async () => {
    const { ExportArn, ExportStatus } = await ask({ S3Prefix: 'some/where' });
    expect(ExportStatus).toBe('IN_PROGRESS');
    const done = await finished(ExportArn);
    const id = ExportArn?.slice(ExportArn.lastIndexOf('/') + 1);
    const folder = `some/where/AWSDynamoDB/${id}/`;
    expect(done.ExportManifest).toBe(`${folder}manifest-summary.json`);
    const files = createS3Backups(Bucket, s3.client);
    const names: string[] = [];
    for await (const { key } of files.files(folder)) names.push(key.slice(folder.length));
    expect(names).toEqual([
      '_started',
      'manifest-files.json',
      'manifest-files.md5',
      'manifest-summary.json',
      'manifest-summary.md5',
    ]);
    const summary = JSON.parse(Buffer.from((await files.read(done.ExportManifest ?? '')) ?? []).toString());
    expect(summary).toMatchObject({
      exportArn: ExportArn,
      tableArn: TableArn,
      s3Prefix: 'some/where',
      s3SseAlgorithm: 'AES256',
      manifestFilesS3Key: `${folder}manifest-files.json`,
      outputFormat: 'DYNAMODB_JSON',
    });
  });

  test('is the same for the same token, for eight hours after its end, and with the same parameters alone', async () => {
    const ClientToken = 'once';
    const ExportTime = new Date(now - HOUR_MS);
    const first = await ask({ ClientToken, ExportTime });
    await finished(first.ExportArn);
    now += 8 * HOUR_MS - 1;
    expect((await ask({ ClientToken, ExportTime })).ExportArn).toBe(first.ExportArn);
    await expect(ask({ ClientToken, ExportTime, S3Prefix: 'x' })).rejects.toMatchObject({
      name: 'ExportConflictException',
    });
    now += 1;
    const later = await ask({ ClientToken, ExportTime });
    expect(later.ExportArn).not.toBe(first.ExportArn);
    await finished(later.ExportArn);
  });

  test('is refused for a time to come, and for what the stand-in does not do', async () => {
    const refused: [Partial<ExportTableToPointInTimeCommandInput>, string][] = [
      [{ ExportTime: new Date(now + 1_000) }, 'InvalidExportTimeException'],
      [{ ExportFormat: 'ION' }, 'ValidationException'],
      [{ ExportType: 'INCREMENTAL_EXPORT' }, 'ValidationException'],
      [{ TableArn: 'vault' }, 'ValidationException'],
    ];
    for (const [input, name] of refused) await expect(ask(input)).rejects.toMatchObject({ name });
    await expect(finished(`${TableArn}/export/none`)).rejects.toMatchObject({
      name: 'ExportNotFoundException',
    });
  });

  test('fails without its table or its bucket, and the next one goes on', async () => {
    for (const input of [{ TableArn: `${TableArn}-none` }, { S3Bucket: 'none' }]) {
      const { ExportArn } = await ask(input);
      expect(await finished(ExportArn)).toMatchObject({
        ExportStatus: 'FAILED',
        FailureMessage: expect.stringMatching(/ResourceNotFound|NoSuchBucket/),
      });
    }
    const { ExportArn } = await ask();
    expect((await finished(ExportArn)).ExportStatus).toBe('COMPLETED');
  });
});
