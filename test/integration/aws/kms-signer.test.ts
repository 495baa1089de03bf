import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetPublicKeyCommand,
  type GetPublicKeyCommandOutput,
  KMSClient,
  SignCommand,
  type SignCommandOutput,
} from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { createKmsSigner } from '../../../aws/kms-signer.ts';
import type { PublicSigningKey } from '../../../core/crypto/message-signer.ts';
import { signingKeyId } from '../../../core/crypto/signing-key-id.ts';
import { createKms } from '../../../local/kms/kms.ts';
import vector from '../../vectors/rfc8037.json';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const HOUR = 60 * 60 * 1000;
const region = 'eu-central-1';

const jwkOf = ({ publicKey }: PublicSigningKey) => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(publicKey).toString('base64url'),
});

describe('on the wire', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-signer-'));
  let server: Awaited<ReturnType<typeof serveStandIns>>;
  let kms: KMSClient;
  let fetches = 0;
  let now = 0;
  beforeAll(async () => {
    const file = join(folder, 'keys.json');
    const standIn = createKms({ file, now: () => 0, region, accountId: '000000000000' });
    server = await serveStandIns({
      '/_aws/kms': (request) => {
        if (request.headers['x-amz-target'] === 'TrentService.GetPublicKey') fetches += 1;
        return standIn(request);
      },
    });
    kms = new KMSClient({ region, credentials, endpoint: `${server.url}/_aws/kms`, maxAttempts: 1 });
  });
  afterAll(async () => {
    kms.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    fetches = 0;
    now = 0;
  });

  async function newKey(): Promise<string> {
    const command = new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    return (await kms.send(command)).KeyMetadata?.Arn ?? '';
  }
  const signerOf = (...arns: string[]) => createKmsSigner(arns, kms, () => now);

  it('signs what node:crypto verifies, and names the key by its thumbprint', async () => {
    const signer = signerOf(await newKey());
    const message = Buffer.from('message');
    const { keyId, signature } = await signer.sign(message);
    const [key] = await signer.publicKeys();
    if (key === undefined) throw new Error('There is a key.');
    const publicKey = createPublicKey({ key: jwkOf(key), format: 'jwk' });
    expect(verify(null, message, publicKey, signature)).toBe(true);
    expect([keyId, key.publicKey.length]).toEqual([key.keyId, 32]);
    expect(keyId).toBe(await calculateJwkThumbprint(jwkOf(key)));
  });

  it('signs what jose verifies as a JWS', async () => {
    const signer = signerOf(await newKey());
    const encode = (text: string): string => Buffer.from(text).toString('base64url');
    const input = `${encode('{"alg":"EdDSA"}')}.${encode('payload')}`;
    const { signature } = await signer.sign(Buffer.from(input));
    const [key] = await signer.publicKeys();
    if (key === undefined) throw new Error('There is a key.');
    const jws = `${input}.${Buffer.from(signature).toString('base64url')}`;
    const { payload } = await compactVerify(jws, await importJWK(jwkOf(key), 'EdDSA'));
    expect(Buffer.from(payload).toString()).toBe('payload');
  });

  it('signs with the first key and serves all of them, in their order', async () => {
    const [current, earlier] = [await newKey(), await newKey()];
    const keys = await signerOf(current, earlier).publicKeys();
    const [currentAlone] = await signerOf(current).publicKeys();
    const [earlierAlone] = await signerOf(earlier).publicKeys();
    expect(keys).toEqual([currentAlone, earlierAlone]);
    const { keyId } = await signerOf(current, earlier).sign(Buffer.from('message'));
    expect(keyId).toBe(currentAlone?.keyId);
  });

  it('asks once for all who need the keys at the same time, and again after an hour', async () => {
    const signer = signerOf(await newKey());
    await Promise.all([signer.publicKeys(), signer.sign(Buffer.from('message')), signer.publicKeys()]);
    now = HOUR;
    await signer.publicKeys();
    expect(fetches).toBe(1);
    now = HOUR + 1;
    await Promise.all([signer.publicKeys(), signer.publicKeys()]);
    expect(fetches).toBe(2);
  });

  it('does not remember a failure, and uses no key that it could not fetch again', async () => {
    const arn = await newKey();
    const signer = signerOf(arn);
    const keys = await signer.publicKeys();
    await kms.send(new DisableKeyCommand({ KeyId: arn }));
    now = HOUR + 1;
    const refused = { code: 'unavailable', cause: { name: 'DisabledException' } };
    await expect(signer.publicKeys()).rejects.toMatchObject(refused);
    await expect(signer.sign(Buffer.from('message'))).rejects.toMatchObject(refused);
    await kms.send(new EnableKeyCommand({ KeyId: arn }));
    expect(await signer.publicKeys()).toEqual(keys);
  });

  it('a key for encryption signs nothing and is no public key', async () => {
    const arn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    await expect(signerOf(arn).sign(Buffer.from('message'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(signerOf(await newKey(), arn).publicKeys()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('a service that cannot be reached is unavailable', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const nowhere = new KMSClient({ region, credentials, endpoint, maxAttempts: 1 });
    const signer = createKmsSigner([await newKey()], nowhere);
    await expect(signer.sign(Buffer.from('message'))).rejects.toMatchObject({ code: 'unavailable' });
    nowhere.destroy();
  });
});

describe('with a service that misbehaves', () => {
  const arn = 'arn:aws:kms:eu-central-1:000000000000:key/signing';
  const client = new KMSClient({ region });
  const kms = mockClient(client);
  const x = Buffer.from(vector.privateKey.x, 'base64url');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), x]);
  const goodKey: GetPublicKeyCommandOutput = {
    KeyId: arn,
    KeySpec: 'ECC_NIST_EDWARDS25519',
    KeyUsage: 'SIGN_VERIFY',
    PublicKey: spki,
    $metadata: {},
  };
  const goodSignature: SignCommandOutput = {
    KeyId: arn,
    SigningAlgorithm: 'ED25519_SHA_512',
    Signature: Buffer.from(vector.signature, 'base64url'),
    $metadata: {},
  };
  const message = Buffer.from(vector.signingInput);
  beforeEach(() => kms.reset());
  afterAll(() => client.destroy());

  it('the key of RFC 8037 has the id of RFC 8037', async () => {
    kms.on(GetPublicKeyCommand).resolves(goodKey).on(SignCommand).resolves(goodSignature);
    const { keyId, signature } = await createKmsSigner([arn], client).sign(message);
    expect([keyId, Buffer.from(signature).toString('base64url')]).toEqual([
      vector.thumbprint,
      vector.signature,
    ]);
    expect(signingKeyId(x)).toBe(vector.thumbprint);
  });

  it('names key, algorithm and type of message in each call', async () => {
    kms.on(GetPublicKeyCommand).resolves(goodKey).on(SignCommand).resolves(goodSignature);
    await createKmsSigner([arn], client).sign(message);
    expect(kms.commandCalls(SignCommand).map(({ args }) => args[0].input)).toEqual([
      { KeyId: arn, Message: message, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' },
    ]);
    expect(kms.commandCalls(GetPublicKeyCommand).map(({ args }) => args[0].input)).toEqual([{ KeyId: arn }]);
  });

  it.each<[string, Partial<GetPublicKeyCommandOutput>]>([
    ['of another key', { KeyId: `${arn}2` }],
    ['of another kind', { KeySpec: 'ECC_NIST_P256' }],
    ['for another use', { KeyUsage: 'KEY_AGREEMENT' }],
    [
      'of another curve',
      { PublicKey: Buffer.concat([spki.subarray(0, 8), Buffer.of(0x6e), spki.subarray(9)]) },
    ],
    ['that is cut', { PublicKey: spki.subarray(0, 43) }],
    ['that is too long', { PublicKey: Buffer.concat([spki, Buffer.of(0)]) }],
    ['that is empty', { PublicKey: new Uint8Array() }],
  ])('a public key %s is not used', async (_, fault) => {
    kms.on(GetPublicKeyCommand).resolves({ ...goodKey, ...fault });
    await expect(createKmsSigner([arn], client).publicKeys()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each<[string, Partial<SignCommandOutput>]>([
    ['by another key', { KeyId: `${arn}2` }],
    ['of another algorithm', { SigningAlgorithm: 'ED25519_PH_SHA_512' }],
    ['of 63 bytes', { Signature: new Uint8Array(63) }],
    ['of 65 bytes', { Signature: new Uint8Array(65) }],
  ])('a signature %s is not used', async (_, fault) => {
    kms
      .on(GetPublicKeyCommand)
      .resolves(goodKey)
      .on(SignCommand)
      .resolves({ ...goodSignature, ...fault });
    await expect(createKmsSigner([arn], client).sign(message)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['AccessDeniedException', 'KMSInvalidStateException', 'NotFoundException', 'ThrottlingException'])(
    '%s is unavailable, with its cause and without its message',
    async (name) => {
      const cause = Object.assign(new Error('arn:aws:iam::1:role/somebody is told no'), { name });
      kms.on(GetPublicKeyCommand).resolves(goodKey).on(SignCommand).rejects(cause);
      const error = await createKmsSigner([arn], client)
        .sign(message)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'unavailable', cause });
      expect(String(error)).not.toContain('somebody');
    },
  );
});

it('without a key there is no signer', () => {
  expect(() => createKmsSigner([])).toThrow('at least one KMS key');
});
