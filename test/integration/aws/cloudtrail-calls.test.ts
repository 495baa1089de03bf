import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createCloudTrailCalls } from '../../../aws/cloudtrail-calls.ts';
import type { CallFile } from '../../../core/reconciliation/key-calls.ts';
import { recordKeyCalls } from '../../../local/cloudtrail/record-key-calls.ts';
import { createTrailWriter, type TrailWriter } from '../../../local/cloudtrail/trail-writer.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { createS3 } from '../../../local/s3/s3.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const Bucket = 'trail';
const region = 'eu-central-1';
const accountId = '000000000000';
const ROLE = `arn:aws:iam::${accountId}:role/lockzero-local-api`;
const DAY = 24 * 60 * 60 * 1000;
const MINUTE = 60_000;
const context = {
  secretId: `sec_${'1'.repeat(32)}`,
  version: '1',
  workspaceId: `ws_${'1'.repeat(32)}`,
};

const folder = mkdtempSync(join(tmpdir(), 'cloudtrail-'));
let now = Date.parse('2026-03-10T12:00:00.700Z');
let server: Awaited<ReturnType<typeof serveStandIns>>;
let trail: TrailWriter;
let kms: KMSClient;
let insider: KMSClient;
let s3: S3Client;
let keyArn: string;
beforeAll(async () => {
  const clock = () => now;
  const s3StandIn = createS3({ folder: join(folder, 's3'), now: clock });
  const shared = { region, accountId, now: clock };
  trail = createTrailWriter({ ...shared, s3: s3StandIn, bucket: Bucket, delayMs: DAY });
  const keys = createKms({ ...shared, file: join(folder, 'keys.json') });
  server = await serveStandIns({
    '/_aws/s3': s3StandIn,
    '/_aws/kms': recordKeyCalls(keys, { ...shared, trail, roleName: 'lockzero-local-api' }),
  });
  const client = { region, maxAttempts: 1, endpoint: `${server.url}/_aws/kms` };
  kms = new KMSClient({ ...client, credentials });
  insider = new KMSClient({ ...client, credentials: { accessKeyId: 'insider', secretAccessKey: 'x' } });
  s3 = new S3Client({ region, credentials, endpoint: `${server.url}/_aws/s3`, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket }));
  keyArn = await newKey();
});
afterAll(async () => {
  for (const client of [kms, insider, s3]) client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function newKey(): Promise<string> {
  return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
}

async function wrapped(KeyId = keyArn): Promise<Uint8Array> {
  const command = new GenerateDataKeyCommand({
    KeyId,
    KeySpec: 'AES_256',
    EncryptionContext: context,
  });
  return (await kms.send(command)).CiphertextBlob ?? new Uint8Array();
}

const decrypt = (blob: Uint8Array, client = kms, EncryptionContext: Record<string, string> = context) =>
  client.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: keyArn, EncryptionContext }));

/** The files of a span from some minutes ago on. */
async function files(from = now - MINUTE, deliveredUntil = now, client = s3): Promise<CallFile[]> {
  const found: CallFile[] = [];
  const span = { from, to: from + DAY, deliveredUntil };
  for await (const file of createCloudTrailCalls(Bucket, [keyArn], client).files(span)) found.push(file);
  return found;
}

async function put(name: string, body: Uint8Array, day = '2026/03/20'): Promise<void> {
  const Key = `AWSLogs/${accountId}/CloudTrail/${region}/${day}/${accountId}_CloudTrail_${region}_${name}`;
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
}

beforeEach(() => {
  // Each test has a day of its own.
  now += DAY;
});

it('what the key service did comes back as calls: to the second, by whom, with which context', async () => {
  const blob = await wrapped();
  await decrypt(blob);
  await decrypt(blob, insider);
  expect(await files()).toEqual([]);
  await trail.flush();
  const [file, ...others] = await files();
  expect(others).toEqual([]);
  expect(file).toEqual({
    name: expect.stringContaining(
      `AWSLogs/${accountId}/CloudTrail/${region}/2026/03/11/${accountId}_CloudTrail_${region}_20260311T1200Z_`,
    ),
    isDamaged: false,
    calls: [ROLE, `arn:aws:iam::${accountId}:user/insider`].map((principal) => ({
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      at: Date.parse('2026-03-11T12:00:00Z'),
      operation: 'Decrypt',
      principal,
      context,
    })),
  });
  expect(new Set(file?.calls.map(({ eventId }) => eventId)).size).toBe(2);
});

it('a refused call has its error; other operations and other keys are left out', async () => {
  const blob = await wrapped();
  await expect(decrypt(blob, kms, { ...context, version: '2' })).rejects.toThrow();
  const other = await newKey();
  const { CiphertextBlob: foreign } = await kms.send(
    new EncryptCommand({ KeyId: other, Plaintext: Uint8Array.of(1) }),
  );
  await kms.send(new DecryptCommand({ CiphertextBlob: foreign, KeyId: other }));
  await trail.flush();
  expect((await files()).flatMap(({ calls }) => calls)).toMatchObject([
    { errorCode: 'InvalidCiphertextException', context: { version: '2' } },
  ]);
});

it('a ReEncrypt has the context of either side, and the key that it put the value under', async () => {
  const blob = await wrapped();
  const destination = await newKey();
  const move = (DestinationKeyId: string, DestinationEncryptionContext: Record<string, string>) =>
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob: blob,
        SourceKeyId: keyArn,
        SourceEncryptionContext: context,
        DestinationKeyId,
        DestinationEncryptionContext,
      }),
    );
  await move(destination, context);
  await move(destination.slice(destination.lastIndexOf('/') + 1), { mine: 'yes' });
  await trail.flush();
  const call = { operation: 'ReEncrypt', principal: ROLE, context };
  expect((await files()).flatMap(({ calls }) => calls)).toMatchObject([
    { ...call, destination: { keyArn: destination, context } },
    { ...call, destination: { keyArn: destination, context: { mine: 'yes' } } },
  ]);
});

it('reads from the minute on in which the span begins, and the folders of the days that follow', async () => {
  const blob = await wrapped();
  const start = now;
  for (const after of [0, 5 * MINUTE, DAY, 2 * DAY]) {
    now = start + after;
    await decrypt(blob);
    await trail.flush();
  }
  const minutes = async (from: number, until: number) =>
    (await files(from, until)).map(({ name }) => /_(\d{8}T\d{4})Z_/.exec(name)?.[1]);
  expect(await minutes(start, start + DAY)).toEqual(['20260314T1200', '20260314T1205', '20260315T1200']);
  expect(await minutes(start + MINUTE, start)).toEqual(['20260314T1205']);
  expect(await minutes(start + MINUTE, now)).toEqual(['20260314T1205', '20260315T1200', '20260316T1200']);
});

it('a call on whatever key is one of the vault’s if it names a value', async () => {
  const customers = await newKey();
  const blob = await wrapped(customers);
  await kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: customers, EncryptionContext: context }));
  await kms.send(
    new ReEncryptCommand({
      CiphertextBlob: blob,
      SourceKeyId: customers,
      SourceEncryptionContext: context,
      DestinationKeyId: await newKey(),
      DestinationEncryptionContext: context,
    }),
  );
  await trail.flush();
  expect((await files()).flatMap(({ calls }) => calls)).toMatchObject([
    { operation: 'Decrypt', principal: ROLE, context },
    { operation: 'ReEncrypt', principal: ROLE, context },
  ]);
});

it('keeps what the bucket refused, and delivers it later', async () => {
  let isAway = true;
  const kept: Buffer[] = [];
  const writer = createTrailWriter({
    bucket: Bucket,
    region,
    accountId,
    now: () => now,
    delayMs: DAY,
    s3: async ({ body }) => {
      if (!isAway) kept.push(body);
      return { status: isAway ? 503 : 200, headers: {}, body: '' };
    },
  });
  const told = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  writer.record({ eventID: '1' });
  await writer.flush();
  expect(told).toHaveBeenCalledTimes(1);
  told.mockRestore();
  isAway = false;
  writer.record({ eventID: '2' });
  await writer.flush();
  await writer.flush();
  expect(kept).toHaveLength(1);
});

describe('a file that is none of CloudTrail’s', () => {
  const record = (members: object) => ({
    eventID: '11111111-2222-4333-8444-555555555555',
    eventTime: '2026-03-20T00:00:01Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    userIdentity: { type: 'AWSService', invokedBy: 'secretsmanager.amazonaws.com' },
    requestParameters: { encryptionContext: context },
    resources: [{ ARN: keyArn }],
    ...members,
  });
  const file = (...records: unknown[]) => gzipSync(JSON.stringify({ Records: records }));
  const readBack = async (body: Uint8Array): Promise<CallFile | undefined> => {
    await put('20260320T0000Z_aaaaaaaaaaaaaaaa.json.gz', body);
    const at = Date.parse('2026-03-20T00:00:00Z');
    return (await files(at, at))[0];
  };

  it.each([
    ['no gzip', () => Buffer.from('{"Records":[]}')],
    ['no JSON', () => gzipSync('Records')],
    ['no records', () => gzipSync('{"records":[]}')],
    ['nothing at all', () => Buffer.alloc(0)],
    ['a record that is nothing', () => file(null)],
    ['a call without a time', () => file(record({ eventTime: undefined }))],
    ['a call by nobody', () => file(record({ userIdentity: undefined }))],
    ['a context that is no text', () => file(record({ requestParameters: { encryptionContext: { a: 1 } } }))],
    ['resources that are none', () => file(record({ resources: 'all' }))],
  ])('%s is damaged', async (_, body) => {
    expect(await readBack(body())).toMatchObject({ isDamaged: true, calls: [] });
  });

  it('does not hide the calls beside a damaged record', async () => {
    const found = await readBack(file(record({ eventTime: 'soon' }), record({})));
    expect(found).toMatchObject({
      isDamaged: true,
      calls: [{ principal: 'secretsmanager.amazonaws.com', context }],
    });
  });

  it.each(['AccessDenied', 'InvalidObjectState', 'NoSuchKey'])(
    'an object that is closed for good (%s) is damaged, and the others are read',
    async (name) => {
      const at = Date.parse('2026-03-21T00:00:00Z');
      await put('20260321T0000Z_aaaaaaaaaaaaaaaa.json.gz', file(record({})), '2026/03/21');
      await put('20260321T0001Z_bbbbbbbbbbbbbbbb.json.gz', file(record({})), '2026/03/21');
      const closed: Pick<S3Client, 'send'> = {
        send: (async (command: GetObjectCommand) => {
          const key = command instanceof GetObjectCommand ? (command.input.Key ?? '') : '';
          if (key.includes('_aaaa')) throw Object.assign(new Error('closed'), { name });
          return s3.send(command);
        }) as S3Client['send'],
      };
      const found: CallFile[] = [];
      const span = { from: at, to: at + DAY, deliveredUntil: at };
      for await (const each of createCloudTrailCalls(Bucket, [keyArn], closed).files(span)) found.push(each);
      expect(found.map(({ isDamaged, calls }) => [isDamaged, calls.length])).toEqual([
        [true, 0],
        [false, 1],
      ]);
    },
  );

  it('that is far too large is damaged, and not read', async () => {
    const Key = `AWSLogs/${accountId}/CloudTrail/${region}/2026/03/22/x.json.gz`;
    const listing: Pick<S3Client, 'send'> = {
      send: (async (command: object) => {
        if (command instanceof GetObjectCommand) throw new Error('It was read.');
        return { Contents: [{ Key, Size: 100 * 1024 * 1024 }] };
      }) as unknown as S3Client['send'],
    };
    const at = Date.parse('2026-03-22T00:00:00Z');
    const found: CallFile[] = [];
    const span = { from: at, to: at + DAY, deliveredUntil: at };
    for await (const each of createCloudTrailCalls(Bucket, [keyArn], listing).files(span)) found.push(each);
    expect(found).toEqual([{ name: Key, calls: [], isDamaged: true }]);
  });

  it('that lies in a folder below the day is not read', async () => {
    // A foreign trail with this folder as its prefix would write so.
    const day = '2026/03/23';
    const foreign = 'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/23/x.json.gz';
    await put('20260323T0000Z_aaaaaaaaaaaaaaaa.json.gz', file(record({})), day);
    await put(`20260323T0001Z_/${foreign}`, file(record({})), day);
    const at = Date.parse('2026-03-23T00:00:00Z');
    expect((await files(at, at)).map(({ name }) => name)).toEqual([
      expect.stringMatching(/\/2026\/03\/23\/[^/]*_aaaaaaaaaaaaaaaa\.json\.gz$/),
    ]);
  });

  it('has what the vault did with a key of another account, refused or not', async () => {
    const foreign = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const found = await readBack(
      file(
        record({ resources: [{ ARN: foreign }] }),
        record({ resources: null, errorCode: 'AccessDenied' }),
        record({
          eventName: 'ReEncrypt',
          resources: [{ ARN: keyArn }, { ARN: foreign }],
          requestParameters: {
            sourceEncryptionContext: context,
            destinationKeyId: foreign,
            destinationEncryptionContext: context,
          },
        }),
        record({
          eventName: 'ReEncrypt',
          resources: [{ ARN: foreign }, { ARN: foreign }],
          requestParameters: {
            sourceEncryptionContext: { mine: 'yes' },
            destinationKeyId: 'alias/planted',
            destinationEncryptionContext: context,
          },
        }),
        // Another program of the account, with a key of its own.
        record({ resources: [{ ARN: foreign }], requestParameters: { encryptionContext: { mine: 'yes' } } }),
      ),
    );
    expect(found?.isDamaged).toBe(false);
    expect(found?.calls).toMatchObject([
      { operation: 'Decrypt', context },
      { operation: 'Decrypt', context, errorCode: 'AccessDenied' },
      { operation: 'ReEncrypt', context, destination: { keyArn: foreign, context } },
      { operation: 'ReEncrypt', context: { mine: 'yes' }, destination: { keyArn: 'alias/planted', context } },
    ]);
  });

  it('takes records of other services as they come', async () => {
    const found = await readBack(
      file(
        record({ eventSource: 's3.amazonaws.com', requestParameters: 'odd' }),
        record({ eventName: 'GenerateDataKey', resources: null }),
        record({ resources: [{ type: 'AWS::KMS::Key' }], requestParameters: null }),
      ),
    );
    expect(found).toMatchObject({ isDamaged: false, calls: [] });
  });

  it('names a refused key by its parameters, and bounds what somebody chose', async () => {
    const keyId = keyArn.slice(keyArn.lastIndexOf('/') + 1);
    const byId = await readBack(
      file(record({ errorCode: 'AccessDenied', resources: null, requestParameters: { keyId } })),
    );
    expect(byId?.calls).toMatchObject([{ errorCode: 'AccessDenied' }]);
    const found = await readBack(
      file(
        record({
          errorCode: 'AccessDenied',
          resources: undefined,
          requestParameters: { keyId: keyArn },
          userIdentity: { type: 'IAMUser', arn: `arn:${'x'.repeat(5_000)}` },
        }),
      ),
    );
    expect(found?.calls).toMatchObject([{ errorCode: 'AccessDenied', context: {} }]);
    expect(found?.calls[0]?.principal).toHaveLength(300);
  });
});

it('is unavailable where the bucket does not answer', async () => {
  const nowhere = new S3Client({ region, credentials, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
  await expect(files(now, now, nowhere)).rejects.toMatchObject({ code: 'unavailable' });
  nowhere.destroy();
  const absent = createCloudTrailCalls('no-such-bucket', [keyArn], s3).files({
    from: now,
    to: now,
    deliveredUntil: now,
  });
  await expect(absent[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'unavailable' });
});
