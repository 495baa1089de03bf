import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ListKeysCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { createKms } from '../../../local/kms/kms.ts';
import vector from '../../vectors/rfc8037.json';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const DAY_MS = 86_400_000;
const region = 'eu-central-1';
const SIGNING = { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' } as const;

const folder = mkdtempSync(join(tmpdir(), 'kms-signing-'));
let now = Date.UTC(2026, 0, 1);

async function start(file: string) {
  const standIn = createKms({
    file: join(folder, file),
    now: () => now,
    region,
    accountId: '000000000000',
  });
  const server = await serveStandIns({ '/_aws/kms': standIn });
  const client = new KMSClient({
    region,
    credentials,
    endpoint: `${server.url}/_aws/kms`,
    maxAttempts: 1,
  });
  const stop = async (): Promise<void> => {
    client.destroy();
    await server.close();
  };
  return { client, stop };
}

let running: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  running = await start('keys.json');
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true });
});

async function createKey(input: object = SIGNING): Promise<string> {
  return (await running.client.send(new CreateKeyCommand(input))).KeyMetadata?.Arn ?? '';
}

function sign(KeyId: string, Message: Uint8Array, other: Partial<SignCommandInput> = {}) {
  const SigningAlgorithm = 'ED25519_SHA_512';
  return running.client.send(new SignCommand({ KeyId, Message, SigningAlgorithm, ...other }));
}

async function publicKeyOf(KeyId: string) {
  const { PublicKey = new Uint8Array() } = await running.client.send(new GetPublicKeyCommand({ KeyId }));
  return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
}

test('a signing key describes itself and is listed', async () => {
  const KeyId = await createKey({ ...SIGNING, Description: 'of a test' });
  const { KeyMetadata } = await running.client.send(new DescribeKeyCommand({ KeyId }));
  expect(KeyMetadata).toMatchObject({
    ...SIGNING,
    Arn: KeyId,
    Description: 'of a test',
    KeyState: 'Enabled',
    SigningAlgorithms: ['ED25519_SHA_512'],
  });
  expect(KeyMetadata).not.toHaveProperty('EncryptionAlgorithms');
  const { Keys } = await running.client.send(new ListKeysCommand({}));
  expect(Keys).toContainEqual({ KeyId: KeyId.slice(-36), KeyArn: KeyId });
});

test('the public key verifies what the key signed, and nothing else', async () => {
  const [KeyId, other] = [await createKey(), await createKey()];
  const message = Buffer.from('message');
  const reply = await sign(KeyId, message, { MessageType: 'RAW' });
  expect(reply).toMatchObject({ KeyId, SigningAlgorithm: 'ED25519_SHA_512' });
  const signature = reply.Signature ?? new Uint8Array();
  expect(signature).toHaveLength(64);
  expect(verify(null, message, await publicKeyOf(KeyId), signature)).toBe(true);
  expect(verify(null, Buffer.from('messagf'), await publicKeyOf(KeyId), signature)).toBe(false);
  expect(verify(null, message, await publicKeyOf(other), signature)).toBe(false);
});

test('GetPublicKey says what the key is for', async () => {
  const KeyId = await createKey();
  const reply = await running.client.send(new GetPublicKeyCommand({ KeyId }));
  expect(reply).toMatchObject({ ...SIGNING, KeyId, SigningAlgorithms: ['ED25519_SHA_512'] });
  expect(reply.PublicKey).toHaveLength(44);
});

test('symmetric keys of an older file still open, and the key of RFC 8037 signs as the RFC does', async () => {
  const record = (id: string, spec: object, material: string) => ({
    keyId: id,
    arn: `arn:aws:kms:${region}:000000000000:key/${id}`,
    accountId: '000000000000',
    description: '',
    ...spec,
    createdAt: now,
    enabled: true,
    deletionDate: null,
    material,
  });
  const symmetric = record(
    '11111111-1111-4111-8111-111111111111',
    { keySpec: 'SYMMETRIC_DEFAULT', keyUsage: 'ENCRYPT_DECRYPT' },
    Buffer.alloc(32, 7).toString('base64'),
  );
  const signing = record(
    '22222222-2222-4222-8222-222222222222',
    { keySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY' },
    Buffer.from(vector.privateKey.d, 'base64url').toString('base64'),
  );
  writeFileSync(join(folder, 'known.json'), JSON.stringify([symmetric, signing]));
  const { client, stop } = await start('known.json');

  const { Signature } = await client.send(
    new SignCommand({
      KeyId: signing.arn,
      Message: Buffer.from(vector.signingInput),
      SigningAlgorithm: 'ED25519_SHA_512',
    }),
  );
  expect(Buffer.from(Signature ?? []).toString('base64url')).toBe(vector.signature);

  const dataKey = await client.send(new GenerateDataKeyCommand({ KeyId: symmetric.arn, KeySpec: 'AES_256' }));
  const opened = await client.send(new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }));
  expect(opened.Plaintext).toEqual(dataKey.Plaintext);
  await stop();
});

test('signing takes up to 4,096 bytes', async () => {
  const KeyId = await createKey();
  const longest = Buffer.alloc(4096, 7);
  const { Signature = new Uint8Array() } = await sign(KeyId, longest);
  expect(verify(null, longest, await publicKeyOf(KeyId), Signature)).toBe(true);
  const refused = { name: 'ValidationException' };
  await expect(sign(KeyId, Buffer.alloc(4097))).rejects.toMatchObject(refused);
  await expect(sign(KeyId, new Uint8Array())).rejects.toMatchObject(refused);
});

test('a digest is refused, and so is another algorithm', async () => {
  const KeyId = await createKey();
  await expect(sign(KeyId, Buffer.alloc(64), { MessageType: 'DIGEST' })).rejects.toMatchObject({
    name: 'ValidationException',
  });
  await expect(sign(KeyId, Buffer.alloc(64), { SigningAlgorithm: 'ECDSA_SHA_256' })).rejects.toMatchObject({
    name: 'InvalidKeyUsageException',
  });
});

test('a signing key encrypts nothing, and a symmetric key signs nothing', async () => {
  const [signing, symmetric] = [await createKey(), await createKey({})];
  const { CiphertextBlob } = await running.client.send(
    new EncryptCommand({ KeyId: symmetric, Plaintext: Buffer.from('text') }),
  );
  const refused = { name: 'InvalidKeyUsageException' };
  const { client } = running;
  await expect(
    client.send(new GenerateDataKeyCommand({ KeyId: signing, KeySpec: 'AES_256' })),
  ).rejects.toMatchObject(refused);
  await expect(
    client.send(new EncryptCommand({ KeyId: signing, Plaintext: Buffer.from('text') })),
  ).rejects.toMatchObject(refused);
  await expect(client.send(new DecryptCommand({ KeyId: signing, CiphertextBlob }))).rejects.toMatchObject(
    refused,
  );
  await expect(
    client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: signing })),
  ).rejects.toMatchObject(refused);
  await expect(sign(symmetric, Buffer.from('text'))).rejects.toMatchObject(refused);
  await expect(client.send(new GetPublicKeyCommand({ KeyId: symmetric }))).rejects.toMatchObject(refused);
});

test('a disabled key, one pending deletion, and one that is gone sign nothing', async () => {
  const [disabled, pending] = [await createKey(), await createKey()];
  const { client } = running;
  await client.send(new DisableKeyCommand({ KeyId: disabled }));
  await client.send(new ScheduleKeyDeletionCommand({ KeyId: pending, PendingWindowInDays: 7 }));
  const message = Buffer.from('message');
  await expect(sign(disabled, message)).rejects.toMatchObject({ name: 'DisabledException' });
  await expect(publicKeyOf(disabled)).rejects.toMatchObject({ name: 'DisabledException' });
  await expect(sign(pending, message)).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
  now += 7 * DAY_MS;
  await expect(sign(pending, message)).rejects.toMatchObject({ name: 'NotFoundException' });
});

test.each([
  ['an Ed25519 key that encrypts', { KeySpec: 'ECC_NIST_EDWARDS25519' }],
  ['a symmetric key that signs', { KeyUsage: 'SIGN_VERIFY' }],
])('%s is refused', async (_, input) => {
  await expect(createKey(input)).rejects.toMatchObject({ name: 'ValidationException' });
});

test('signing keys survive a restart', async () => {
  const KeyId = await createKey();
  const message = Buffer.from('message');
  const { Signature } = await sign(KeyId, message);
  await running.stop();
  running = await start('keys.json');
  expect((await sign(KeyId, message)).Signature).toEqual(Signature);
});
