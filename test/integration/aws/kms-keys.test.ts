import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { createKmsKeys } from '../../../aws/kms-keys.ts';
import { openValue, rewrapValue, sealValue } from '../../../core/crypto/envelope.ts';
import type { KeyService } from '../../../core/crypto/key-service.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { flipBit } from '../../support/bytes.ts';
import { SeededRandom } from '../../support/random.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const context = { secretId: 'sec_1', version: '1', workspaceId: 'ws_1' };

describe('on the wire', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-keys-'));
  let server: Awaited<ReturnType<typeof serveStandIns>>;
  let kms: KMSClient;
  let keyArn: string;
  let keys: KeyService;
  beforeAll(async () => {
    const file = join(folder, 'keys.json');
    const standIn = createKms({ file, now: () => 0, region: 'eu-central-1', accountId: '000000000000' });
    server = await serveStandIns({ '/_aws/kms': standIn });
    const endpoint = `${server.url}/_aws/kms`;
    kms = new KMSClient({ region: 'eu-central-1', credentials, endpoint, maxAttempts: 1 });
  });
  afterAll(async () => {
    kms.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    keyArn = await newKey();
    keys = createKmsKeys(kms);
  });

  async function newKey(): Promise<string> {
    return (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  }

  it('a data key has 32 bytes, names its key, and comes back unwrapped', async () => {
    const { plaintext, wrapped, keyArn: named } = await keys.generateDataKey(keyArn, context);
    expect([plaintext.length, named]).toEqual([32, keyArn]);
    const unwrapped = await keys.decrypt(wrapped, keyArn, context);
    expect(Buffer.from(unwrapped.plaintext)).toEqual(Buffer.from(plaintext));
    expect(unwrapped.attempts).toBe(1);
  });

  it('a value moved to another key opens under that one, and the first may go', async () => {
    const parts = { keys, random: new SeededRandom(1) };
    const name = { workspaceId: 'ws_1', secretId: 'sec_1', version: 1 };
    const envelope = await sealValue(parts, keyArn, name, Buffer.from('value'));
    const other = await newKey();
    const moved = await rewrapValue(keys, name, envelope, other);
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    expect((await openValue(keys, name, moved)).plaintext.toString()).toBe('value');
    await expect(openValue(keys, name, envelope)).rejects.toMatchObject({ code: 'key_unavailable' });
    const back = rewrapValue(keys, name, moved, keyArn);
    await expect(back).rejects.toMatchObject({ code: 'key_unavailable', retryAfter: 30 });
  });

  it('a wrapped key is not moved in another context than it was made in, nor from another key', async () => {
    const { wrapped } = await keys.generateDataKey(keyArn, context);
    const to = await newKey();
    const moved = keys.reEncrypt(wrapped, { from: keyArn, to }, { ...context, workspaceId: 'ws_2' });
    await expect(moved).rejects.toMatchObject({ code: 'internal' });
    await expect(keys.reEncrypt(wrapped, { from: to, to: keyArn }, context)).rejects.toMatchObject({
      code: 'internal',
    });
  });

  it.each([
    ['another secret', { ...context, secretId: 'sec_2' }],
    ['another version', { ...context, version: '2' }],
    ['another workspace', { ...context, workspaceId: 'ws_2' }],
  ])('a wrapped key presented as that of %s is damage', async (_, other) => {
    const { wrapped } = await keys.generateDataKey(keyArn, context);
    await expect(keys.decrypt(wrapped, keyArn, other)).rejects.toMatchObject({ code: 'internal' });
  });

  it('a wrapped key with a flipped bit, cut short, or of another key is damage', async () => {
    const { wrapped } = await keys.generateDataKey(keyArn, context);
    const damaged = [flipBit(wrapped, 0), flipBit(wrapped, 8 * 50), wrapped.slice(0, 20)];
    for (const blob of damaged)
      await expect(keys.decrypt(blob, keyArn, context)).rejects.toMatchObject({ code: 'internal' });
    await expect(keys.decrypt(wrapped, await newKey(), context)).rejects.toMatchObject({ code: 'internal' });
  });

  it('a wrapped key that is gone, or no wrapped key at all, is damage, and not a service to wait for', async () => {
    const to = await newKey();
    for (const blob of [new Uint8Array(), new Uint8Array(7_000)]) {
      const moved = keys.reEncrypt(blob, { from: keyArn, to }, context);
      await expect(moved).rejects.toMatchObject({ code: 'internal' });
      await expect(keys.decrypt(blob, keyArn, context)).rejects.toMatchObject({ code: 'internal' });
    }
  });

  it('a disabled key is unavailable at once, for both ways, until it is enabled', async () => {
    const { wrapped } = await keys.generateDataKey(keyArn, context);
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    const refused = { code: 'key_unavailable', retryAfter: 30, cause: { name: 'DisabledException' } };
    await expect(keys.decrypt(wrapped, keyArn, context)).rejects.toMatchObject(refused);
    await expect(keys.generateDataKey(keyArn, context)).rejects.toMatchObject(refused);
    await kms.send(new EnableKeyCommand({ KeyId: keyArn }));
    expect((await keys.decrypt(wrapped, keyArn, context)).plaintext).toHaveLength(32);
  });

  it('a key that waits for its deletion, and one that never was, are unavailable', async () => {
    const { wrapped } = await keys.generateDataKey(keyArn, context);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: 7 }));
    const refused = { code: 'key_unavailable' };
    await expect(keys.decrypt(wrapped, keyArn, context)).rejects.toMatchObject(refused);
    const absent = keyArn.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000');
    await expect(keys.generateDataKey(absent, context)).rejects.toMatchObject(refused);
    await expect(keys.decrypt(wrapped, absent, context)).rejects.toMatchObject(refused);
  });

  it('a service that cannot be reached is unavailable', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const nowhere = new KMSClient({ region: 'eu-central-1', credentials, endpoint, maxAttempts: 1 });
    await expect(createKmsKeys(nowhere).generateDataKey(keyArn, context)).rejects.toMatchObject({
      code: 'unavailable',
    });
    nowhere.destroy();
  });
});

describe('with a service that misbehaves', () => {
  const keyArn = 'arn:aws:kms:eu-central-1:000000000000:key/values';
  const client = new KMSClient({ region: 'eu-central-1' });
  const kms = mockClient(client);
  const keys = createKmsKeys(client);
  const good = {
    KeyId: keyArn,
    Plaintext: new Uint8Array(32),
    CiphertextBlob: Uint8Array.of(1),
    $metadata: {},
  };
  const { Plaintext: _plaintext, ...withoutPlaintext } = good;
  const { CiphertextBlob: _blob, ...withoutBlob } = good;
  beforeEach(() => kms.reset());
  afterAll(() => client.destroy());

  it.each([
    ['of another key', { ...good, KeyId: `${keyArn}2` }],
    ['with a short key', { ...good, Plaintext: new Uint8Array(16) }],
    ['with no key', withoutPlaintext],
    ['with no wrapped key', withoutBlob],
  ])('a data key %s is not used', async (_, reply) => {
    kms.on(GenerateDataKeyCommand).resolves(reply);
    await expect(keys.generateDataKey(keyArn, context)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([
    ['by another key', { ...good, KeyId: `${keyArn}2` }],
    ['to a long key', { ...good, Plaintext: new Uint8Array(33) }],
    ['to nothing', withoutPlaintext],
  ])('a decryption %s is not used', async (_, reply) => {
    kms.on(DecryptCommand).resolves(reply);
    await expect(keys.decrypt(Uint8Array.of(1), keyArn, context)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it.each([
    ['from another key', { SourceKeyId: `${keyArn}2`, KeyId: keyArn, CiphertextBlob: Uint8Array.of(1) }],
    ['to another key', { SourceKeyId: keyArn, KeyId: `${keyArn}2`, CiphertextBlob: Uint8Array.of(1) }],
    ['to nothing', { SourceKeyId: keyArn, KeyId: keyArn }],
  ])('a key moved %s is not used', async (_, reply) => {
    kms.on(ReEncryptCommand).resolves(reply);
    const moved = keys.reEncrypt(Uint8Array.of(1), { from: keyArn, to: keyArn }, context);
    await expect(moved).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([
    ['AccessDeniedException', 'key_unavailable'],
    ['DisabledException', 'key_unavailable'],
    ['InvalidGrantTokenException', 'key_unavailable'],
    ['InvalidKeyUsageException', 'key_unavailable'],
    ['KMSInvalidStateException', 'key_unavailable'],
    ['KeyUnavailableException', 'key_unavailable'],
    ['NotFoundException', 'key_unavailable'],
    ['IncorrectKeyException', 'internal'],
    ['InvalidArnException', 'internal'],
    ['InvalidCiphertextException', 'internal'],
    ['ValidationException', 'internal'],
    ['ThrottlingException', 'unavailable'],
    ['DependencyTimeoutException', 'unavailable'],
    ['KMSInternalException', 'unavailable'],
    ['TimeoutError', 'unavailable'],
  ])('%s is %s, with its cause and without its message', async (name, code) => {
    const cause = Object.assign(new Error('arn:aws:iam::1:role/somebody is told no'), { name });
    kms.on(DecryptCommand).rejects(cause);
    const error = await keys.decrypt(Uint8Array.of(1), keyArn, context).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, cause });
    expect(String(error)).not.toContain('somebody');
  });

  it.each([
    ['a decryption', good],
    ['a reply that is not used', { ...good, KeyId: 'another' }],
  ])('tells how often it had to ask for %s', async (_, reply) => {
    kms.on(DecryptCommand).resolves({ ...reply, $metadata: { attempts: 2 } });
    const outcome = await keys.decrypt(Uint8Array.of(1), keyArn, context).catch((thrown: unknown) => thrown);
    expect(outcome).toMatchObject({ attempts: 2 });
  });

  it('tells how often it asked in vain', async () => {
    const cause = Object.assign(new Error('slow'), { name: 'TimeoutError', $metadata: { attempts: 2 } });
    kms.on(DecryptCommand).rejects(cause);
    await expect(keys.decrypt(Uint8Array.of(1), keyArn, context)).rejects.toMatchObject({
      code: 'unavailable',
      retryAfter: 2,
      attempts: 2,
    });
  });

  it('names key and context in each call', async () => {
    kms.on(DecryptCommand).resolves(good);
    await keys.decrypt(Uint8Array.of(1), keyArn, context);
    expect(kms.commandCalls(DecryptCommand).map(({ args }) => args[0].input)).toEqual([
      { CiphertextBlob: Uint8Array.of(1), KeyId: keyArn, EncryptionContext: context },
    ]);
  });
});
