import { createHash } from 'node:crypto';
import { seal } from '../../../core/crypto/aead.ts';
import {
  type Envelope,
  openValue,
  rewrapValue,
  sealValue,
  type ValueName,
  valueAad,
} from '../../../core/crypto/envelope.ts';
import type { KeyService } from '../../../core/crypto/key-service.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { flipBit, fromHex, toHex } from '../../support/bytes.ts';
import { MemoryKeys, VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { SeededRandom } from '../../support/random.ts';
import vectors from '../../vectors/envelopes-v1.json';

const NAME: ValueName = { workspaceId: 'ws_1', secretId: 'sec_1', version: 3 };
const ZEROS = '00'.repeat(32);

function parts(seed = 1): { keys: MemoryKeys; random: SeededRandom } {
  const random = new SeededRandom(seed);
  return { keys: new MemoryKeys(fromHex(vectors.keyEncryptionKey), random), random };
}

describe('frozen envelopes', () => {
  it.each(vectors.envelopes)('$name', async (frozen) => {
    const { keys } = parts();
    const plaintext = frozen.plaintext === undefined ? plaintextByRule() : Buffer.from(frozen.plaintext);
    if (frozen.plaintextSha256 !== undefined) expect(sha256(plaintext)).toBe(frozen.plaintextSha256);

    const aad = valueAad(frozen.value);
    expect(Buffer.from(aad).toString()).toBe(frozen.aad);
    const { ciphertext, tag } = seal(fromHex(frozen.dataKey), fromHex(frozen.nonce), aad, plaintext);
    if (frozen.ciphertext === undefined) expect(sha256(ciphertext)).toBe(frozen.ciphertextSha256);
    else expect(toHex(ciphertext)).toBe(frozen.ciphertext);
    expect(toHex(tag)).toBe(frozen.tag);

    const envelope: Envelope = {
      format: '1',
      ciphertext: frozen.ciphertext === undefined ? ciphertext : fromHex(frozen.ciphertext),
      nonce: fromHex(frozen.nonce),
      tag: fromHex(frozen.tag),
      wrappedKey: fromHex(frozen.wrappedKey),
      keyArn: keys.keyArn,
    };
    const opened = await openValue(keys, frozen.value, envelope);
    expect(opened.plaintext.equals(plaintext)).toBe(true);
  });

  it('were opened from many sizes', () => {
    expect(vectors.envelopes.map(({ name }) => name)).toEqual(['empty', 'ascii', 'multi-byte', '64 KiB']);
  });
});

describe('sealing', () => {
  it('costs one call to the key service, and each value has its own key and nonce', async () => {
    const { keys, random } = parts();
    const plaintext = Buffer.from('the same value twice');
    const first = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, plaintext);
    expect(keys.calls).toEqual(['generateDataKey']);
    const second = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, plaintext);
    for (const part of ['ciphertext', 'nonce', 'tag', 'wrappedKey'] as const)
      expect(toHex(first[part])).not.toBe(toHex(second[part]));
    expect(first).toMatchObject({ format: '1', keyArn: keys.keyArn });
  });

  it('zeroes the data key, and leaves the plaintext to its owner', async () => {
    const { keys, random } = parts();
    const plaintext = Buffer.from('kept');
    await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, plaintext);
    expect(keys.handedOut.map(toHex)).toEqual([ZEROS]);
    expect(plaintext.toString()).toBe('kept');
  });

  it('zeroes the data key when sealing fails', async () => {
    const { keys } = parts();
    const noNonce = { bytes: () => new Uint8Array(0) };
    await expect(sealValue({ keys, random: noNonce }, VAULT_KEY_ARN, NAME, Buffer.from('x'))).rejects.toThrow(
      'nonce',
    );
    expect(keys.handedOut.map(toHex)).toEqual([ZEROS]);
  });
});

describe('opening', () => {
  it('costs one decrypt, gives the value back and zeroes the data key', async () => {
    const { keys, random } = parts();
    const envelope = await sealValue(
      { keys, random },
      VAULT_KEY_ARN,
      NAME,
      Buffer.from('päss\u0000 \u{1F510}'),
    );
    keys.calls.length = 0;
    const opened = await openValue(keys, NAME, envelope);
    expect(opened.attempts).toBe(1);
    expect(opened.plaintext.toString()).toBe('päss\u0000 \u{1F510}');
    expect(keys.calls).toEqual(['decrypt']);
    expect(keys.handedOut.map(toHex)).toEqual([ZEROS, ZEROS]);
  });

  it.each(['ciphertext', 'nonce', 'tag'] as const)(
    'refuses a changed %s and zeroes the key',
    async (part) => {
      const { keys, random } = parts();
      const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
      const damaged = { ...envelope, [part]: flipBit(envelope[part], 5) };
      await expect(openValue(keys, NAME, damaged)).rejects.toMatchObject({ code: 'internal' });
      expect(keys.calls).toEqual(['generateDataKey', 'decrypt']);
      expect(keys.handedOut.map(toHex)).toEqual([ZEROS, ZEROS]);
    },
  );

  it.each([
    { ...NAME, workspaceId: 'ws_2' },
    { ...NAME, secretId: 'sec_2' },
    { ...NAME, version: 4 },
  ])('as another value is refused by the key service already: %j', async (other) => {
    const { keys, random } = parts();
    const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
    await expect(openValue(keys, other, envelope)).rejects.toMatchObject({ code: 'key_unavailable' });
  });

  it.each([
    { ...NAME, workspaceId: 'ws_2' },
    { ...NAME, secretId: 'sec_2' },
    { ...NAME, version: 4 },
  ])('as another value is refused even by a key service that ignores the context: %j', async (other) => {
    const { keys, random } = parts();
    const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
    const careless: Pick<KeyService, 'decrypt'> = {
      decrypt: (wrapped, keyArn) =>
        keys.decrypt(wrapped, keyArn, { workspaceId: 'ws_1', secretId: 'sec_1', version: '3' }),
    };
    await expect(openValue(careless, NAME, envelope)).resolves.toMatchObject({
      plaintext: Buffer.from('value'),
    });
    await expect(openValue(careless, other, envelope)).rejects.toMatchObject({ code: 'internal' });
  });

  it('refuses a data key of another size, and zeroes it', async () => {
    const { keys, random } = parts();
    const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
    const short = new Uint8Array(16).fill(7);
    const odd: Pick<KeyService, 'decrypt'> = {
      decrypt: async () => ({ plaintext: short, attempts: 1 }),
    };
    await expect(openValue(odd, NAME, envelope)).rejects.toMatchObject({ code: 'internal' });
    expect(toHex(short)).toBe('00'.repeat(16));
  });
});

describe('moving to another key', () => {
  const THEIRS = 'arn:aws:kms:us-east-1:111122223333:key/theirs';

  it('costs one call, opens nothing, and changes only which key wraps', async () => {
    const { keys, random } = parts();
    const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
    keys.calls.length = 0;
    keys.handedOut.length = 0;
    const moved = await rewrapValue(keys, NAME, envelope, THEIRS);
    expect([keys.calls, keys.handedOut]).toEqual([['reEncrypt'], []]);
    const { wrappedKey, keyArn, ...rest } = moved;
    const { wrappedKey: former, keyArn: _, ...same } = envelope;
    expect(rest).toEqual(same);
    expect([keyArn, toHex(wrappedKey) === toHex(former)]).toEqual([THEIRS, false]);
    keys.unusable.add(VAULT_KEY_ARN);
    expect((await openValue(keys, NAME, moved)).plaintext.toString()).toBe('value');
  });

  it('as another value is refused', async () => {
    const { keys, random } = parts();
    const envelope = await sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('value'));
    const other = { ...NAME, version: 4 };
    await expect(rewrapValue(keys, other, envelope, THEIRS)).rejects.toMatchObject({
      code: 'key_unavailable',
    });
  });
});

function plaintextByRule(): Buffer {
  return Buffer.from(Uint8Array.from({ length: 65_536 }, (_, i) => (31 * i + Math.floor(i / 256)) % 256));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

it('a key that cannot wrap is named by the error, which says as before when to try again', async () => {
  const { random } = parts();
  const refusal = new VaultError('key_unavailable', 'The key cannot be used.', { retryAfter: 30 });
  const outage = new VaultError('unavailable', 'Try again.', { retryAfter: 2 });
  const sealWith = (error: VaultError) => {
    const keys = { generateDataKey: () => Promise.reject(error) };
    return sealValue({ keys, random }, VAULT_KEY_ARN, NAME, Buffer.from('v'));
  };
  await expect(sealWith(refusal)).rejects.toMatchObject({
    code: 'key_unavailable',
    message: refusal.message,
    retryAfter: 30,
    keyArn: VAULT_KEY_ARN,
  });
  await expect(sealWith(outage)).rejects.toBe(outage);
});
