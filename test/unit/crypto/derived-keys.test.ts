import { hkdfSync } from 'node:crypto';
import { createDerivedKeys, hmacHex } from '../../../core/crypto/derived-keys.ts';
import { fromHex, toHex } from '../../support/bytes.ts';
import vectors from '../../vectors/hkdf-sha256.json';

const PURPOSES = ['cursor', 'idempotency'] as const;

describe('HKDF-SHA-256', () => {
  it.each(vectors.published)('of Node gives $name', ({ ikm, salt, info, length, okm }) => {
    const derived = hkdfSync('sha256', fromHex(ikm), fromHex(salt), fromHex(info), length);
    expect(toHex(new Uint8Array(derived))).toBe(okm);
  });

  it('gives the frozen keys for each purpose', async () => {
    const found = [];
    for (const { secret } of vectors.derived.filter(({ purpose }) => purpose === 'cursor')) {
      const keys = createDerivedKeys(async () => ({ current: 'k1', secrets: new Map([['k1', secret]]) }));
      for (const purpose of PURPOSES) {
        const { keyId, key } = await keys.current(purpose);
        expect(keyId).toBe('k1');
        found.push({ purpose, secret, key: toHex(key) });
      }
    }
    expect(found).toEqual(vectors.derived);
  });
});

describe('rotation', () => {
  const secrets = new Map([
    ['k1', 'the first root secret'],
    ['k2', 'the second root secret'],
  ]);

  it('uses the current secret, and still knows the earlier one by its id', async () => {
    let current = 'k1';
    const keys = createDerivedKeys(async () => ({ current, secrets }));
    const before = await keys.current('cursor');
    current = 'k2';
    const after = await keys.current('cursor');
    expect([before.keyId, after.keyId]).toEqual(['k1', 'k2']);
    expect(toHex(after.key)).not.toBe(toHex(before.key));
    expect(await keys.byId('cursor', 'k1')).toEqual(before);
  });

  it.each(['', 'k3', '__proto__', 'constructor'])('knows no key %j', async (keyId) => {
    const keys = createDerivedKeys(async () => ({ current: 'k1', secrets }));
    expect(await keys.byId('cursor', keyId)).toBeUndefined();
  });

  it('fails when the current secret is not among the secrets', async () => {
    const keys = createDerivedKeys(async () => ({ current: 'k9', secrets }));
    await expect(keys.current('cursor')).rejects.toThrow('current key that it does not hold');
  });
});

it('HMAC-SHA-256 gives RFC 4231 test case 2', () => {
  expect(hmacHex(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});
