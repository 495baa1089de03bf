import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ListKeysCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { createKms } from '../../../local/kms/kms.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const DAY_MS = 86_400_000;
const region = 'eu-central-1';
const context = { secretId: 's1', version: '1', workspaceId: 'w1' };

const folder = mkdtempSync(join(tmpdir(), 'kms-'));
const file = join(folder, 'keys.json');
let now = Date.UTC(2026, 0, 1);
let server: Awaited<ReturnType<typeof serveStandIns>>;
let kms: KMSClient;

async function start(): Promise<void> {
  const standIn = createKms({ file, now: () => now, region, accountId: '000000000000' });
  server = await serveStandIns({ '/_aws/kms': standIn });
  kms = new KMSClient({ region, credentials, endpoint: `${server.url}/_aws/kms`, maxAttempts: 1 });
}

async function stop(): Promise<void> {
  kms.destroy();
  await server.close();
}

beforeAll(start);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

async function createKey(): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'of a test' }));
  return KeyMetadata?.Arn ?? '';
}

async function generateDataKey(KeyId: string): Promise<{ plaintext: Uint8Array; blob: Uint8Array }> {
  const answer = await kms.send(
    new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: context }),
  );
  return { plaintext: answer.Plaintext ?? new Uint8Array(), blob: answer.CiphertextBlob ?? new Uint8Array() };
}

function decrypt(blob: Uint8Array, KeyId?: string, EncryptionContext: Record<string, string> = context) {
  return kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext, ...(KeyId && { KeyId }) }));
}

test('a key has a real ARN and describes itself', async () => {
  const arn = await createKey();
  expect(arn).toMatch(/^arn:aws:kms:eu-central-1:000000000000:key\/[0-9a-f-]{36}$/);
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: arn.slice(-36) }));
  expect(KeyMetadata).toMatchObject({
    Arn: arn,
    Enabled: true,
    KeyState: 'Enabled',
    KeySpec: 'SYMMETRIC_DEFAULT',
  });
  expect(KeyMetadata?.CreationDate).toEqual(new Date(now));
  const { Keys } = await kms.send(new ListKeysCommand({}));
  expect(Keys).toContainEqual({ KeyId: arn.slice(-36), KeyArn: arn });
});

test('a data key comes back under the same context in any order, with and without its key id', async () => {
  const arn = await createKey();
  const { plaintext, blob } = await generateDataKey(arn);
  expect(plaintext).toHaveLength(32);
  const reordered = { workspaceId: 'w1', version: '1', secretId: 's1' };
  expect(await decrypt(blob, arn, reordered)).toMatchObject({ Plaintext: plaintext, KeyId: arn });
  expect((await decrypt(blob)).Plaintext).toEqual(plaintext);
});

test('NumberOfBytes sets the length of a data key, and both lengths at once are refused', async () => {
  const KeyId = await createKey();
  const { Plaintext } = await kms.send(new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 64 }));
  expect(Plaintext).toHaveLength(64);
  const both = new GenerateDataKeyCommand({ KeyId, NumberOfBytes: 64, KeySpec: 'AES_256' });
  await expect(kms.send(both)).rejects.toMatchObject({ name: 'ValidationException' });
});

test.each([
  ['another value', { ...context, version: '2' }],
  ['a missing member', { secretId: 's1', version: '1' }],
  ['none', {}],
])('a context with %s is InvalidCiphertextException', async (_, other) => {
  const arn = await createKey();
  const { blob } = await generateDataKey(arn);
  await expect(decrypt(blob, arn, other)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
});

test('a blob with any byte changed, or cut, is InvalidCiphertextException', async () => {
  const { blob } = await generateDataKey(await createKey());
  for (let index = 0; index < blob.length; index++) {
    const tampered = blob.map((byte, at) => (at === index ? byte ^ 1 : byte));
    await expect(decrypt(tampered)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
  }
  await expect(decrypt(blob.slice(0, 20))).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
});

test('another key than the one that encrypted is IncorrectKeyException', async () => {
  const { blob } = await generateDataKey(await createKey());
  await expect(decrypt(blob, await createKey())).rejects.toMatchObject({ name: 'IncorrectKeyException' });
});

test('a disabled key refuses every use, until it is enabled', async () => {
  const KeyId = await createKey();
  const { plaintext, blob } = await generateDataKey(KeyId);
  await kms.send(new DisableKeyCommand({ KeyId }));
  await expect(decrypt(blob, KeyId)).rejects.toMatchObject({ name: 'DisabledException' });
  await expect(decrypt(blob)).rejects.toMatchObject({ name: 'DisabledException' });
  await expect(generateDataKey(KeyId)).rejects.toMatchObject({ name: 'DisabledException' });
  await kms.send(new EnableKeyCommand({ KeyId }));
  expect((await decrypt(blob, KeyId)).Plaintext).toEqual(plaintext);
});

test('a key pending deletion refuses, can be saved, and is gone when its time has come', async () => {
  const KeyId = await createKey();
  const { blob } = await generateDataKey(KeyId);
  const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  expect(scheduled.DeletionDate).toEqual(new Date(now + 7 * DAY_MS));
  await expect(decrypt(blob, KeyId)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
  await expect(kms.send(new EnableKeyCommand({ KeyId }))).rejects.toMatchObject({
    name: 'KMSInvalidStateException',
  });

  await kms.send(new CancelKeyDeletionCommand({ KeyId }));
  await expect(decrypt(blob, KeyId)).rejects.toMatchObject({ name: 'DisabledException' });
  await expect(kms.send(new CancelKeyDeletionCommand({ KeyId }))).rejects.toMatchObject({
    name: 'KMSInvalidStateException',
  });

  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  now += 7 * DAY_MS;
  await expect(decrypt(blob, KeyId)).rejects.toMatchObject({ name: 'NotFoundException' });
  await expect(decrypt(blob)).rejects.toMatchObject({ name: 'InvalidCiphertextException' });
});

test.each([
  ['an id', '00000000-0000-4000-8000-000000000000'],
  ['an ARN', 'arn:aws:kms:eu-central-1:000000000000:key/00000000-0000-4000-8000-000000000000'],
])('%s that names no key is NotFoundException', async (_, KeyId) => {
  await expect(kms.send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({
    name: 'NotFoundException',
  });
  await expect(generateDataKey(KeyId)).rejects.toMatchObject({ name: 'NotFoundException' });
});

test('the ARN of another region is NotFoundException, though its key id exists', async () => {
  const KeyId = (await createKey()).replace('eu-central-1', 'us-east-1');
  await expect(generateDataKey(KeyId)).rejects.toMatchObject({ name: 'NotFoundException' });
});

test('Encrypt takes up to 4,096 bytes', async () => {
  const KeyId = await createKey();
  const Plaintext = Buffer.alloc(4096, 7);
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId, Plaintext, EncryptionContext: context }),
  );
  expect(Buffer.from((await decrypt(CiphertextBlob ?? new Uint8Array())).Plaintext ?? [])).toEqual(Plaintext);
  const tooLong = new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) });
  await expect(kms.send(tooLong)).rejects.toMatchObject({ name: 'ValidationException' });
});

test('ReEncrypt moves a data key to another key and context', async () => {
  const [source, destination] = [await createKey(), await createKey()];
  const { plaintext, blob } = await generateDataKey(source);
  const moved = await kms.send(
    new ReEncryptCommand({
      CiphertextBlob: blob,
      SourceEncryptionContext: context,
      DestinationKeyId: destination,
      DestinationEncryptionContext: { ...context, version: '2' },
    }),
  );
  expect(moved).toMatchObject({ SourceKeyId: source, KeyId: destination });
  const opened = await decrypt(moved.CiphertextBlob ?? new Uint8Array(), destination, {
    ...context,
    version: '2',
  });
  expect(opened.Plaintext).toEqual(plaintext);
});

test('other kinds of keys are refused by name', async () => {
  const rsa = new CreateKeyCommand({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  await expect(kms.send(rsa)).rejects.toMatchObject({ name: 'UnsupportedOperationException' });
});

test('keys and their states survive a restart, in a file for its owner only', async () => {
  const [kept, disabled] = [await createKey(), await createKey()];
  const { plaintext, blob } = await generateDataKey(kept);
  await kms.send(new DisableKeyCommand({ KeyId: disabled }));
  await stop();
  await start();
  expect((await decrypt(blob, kept)).Plaintext).toEqual(plaintext);
  await expect(generateDataKey(disabled)).rejects.toMatchObject({ name: 'DisabledException' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('an unknown operation and a broken body get an answer in the protocol', async () => {
  const post = (target: string, body: string) =>
    fetch(`${server.url}/_aws/kms/`, { method: 'POST', headers: { 'x-amz-target': target }, body });
  const unknown = await post('TrentService.DeleteEverything', '{}');
  expect(unknown.status).toBe(400);
  expect(await unknown.json()).toMatchObject({ __type: 'UnknownOperationException' });
  const broken = await post('TrentService.CreateKey', '{');
  expect(await broken.json()).toMatchObject({ __type: 'SerializationException' });
});

test('a path below no prefix is left to the server', async () => {
  const answer = await fetch(`${server.url}/_aws/kmsx`);
  expect(answer.status).toBe(404);
});
