import fc from 'fast-check';
import { AeadError, open, type Sealed, seal } from '../../../core/crypto/aead.ts';
import { flipBit, fromHex, toHex } from '../../support/bytes.ts';
import vectors from '../../vectors/aes-256-gcm.json';

const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(12).fill(2);
const AAD = Buffer.from('what it belongs to');
const PLAINTEXT = Buffer.from('what it says');

describe('published cases', () => {
  it.each(vectors.sealed)('$name', ({ key, nonce, aad, plaintext, ciphertext, tag }) => {
    const sealed = seal(fromHex(key), fromHex(nonce), fromHex(aad), fromHex(plaintext));
    expect([toHex(sealed.ciphertext), toHex(sealed.tag)]).toEqual([ciphertext, tag]);
    const published = { ciphertext: fromHex(ciphertext), tag: fromHex(tag) };
    expect(toHex(open(fromHex(key), fromHex(nonce), fromHex(aad), published))).toBe(plaintext);
  });

  it.each(vectors.refused)('refuses $name', ({ key, nonce, aad, ciphertext, tag }) => {
    const forged = { ciphertext: fromHex(ciphertext), tag: fromHex(tag) };
    expect(() => open(fromHex(key), fromHex(nonce), fromHex(aad), forged)).toThrow(AeadError);
  });
});

describe('sizes', () => {
  const sealed = seal(KEY, NONCE, AAD, PLAINTEXT);

  it.each([0, 1, 4, 8, 12, 13, 14, 15, 17, 32])('refuses a tag of %i bytes', (size) => {
    const tag = new Uint8Array(size);
    tag.set(sealed.tag.subarray(0, size));
    expect(() => open(KEY, NONCE, AAD, { ciphertext: sealed.ciphertext, tag })).toThrow(AeadError);
  });

  it.each([0, 8, 11, 13, 16])('refuses a nonce of %i bytes', (size) => {
    expect(() => seal(KEY, new Uint8Array(size), AAD, PLAINTEXT)).toThrow(AeadError);
    expect(() => open(KEY, new Uint8Array(size), AAD, sealed)).toThrow(AeadError);
  });

  it.each([0, 16, 24, 31, 33, 64])('refuses a key of %i bytes', (size) => {
    expect(() => seal(new Uint8Array(size), NONCE, AAD, PLAINTEXT)).toThrow(AeadError);
    expect(() => open(new Uint8Array(size), NONCE, AAD, sealed)).toThrow(AeadError);
  });

  it('seals without padding, with a tag of 16 bytes', () => {
    expect(sealed.ciphertext).toHaveLength(PLAINTEXT.length);
    expect(sealed.tag).toHaveLength(16);
  });
});

describe('properties', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const text = fc.uint8Array({ maxLength: 200 });
  const inputs = { key: bytes(32), nonce: bytes(12), aad: text, plaintext: text };

  it('opens what it sealed', () => {
    fc.assert(
      fc.property(fc.record(inputs), ({ key, nonce, aad, plaintext }) => {
        const opened = open(key, nonce, aad, seal(key, nonce, aad, plaintext));
        expect(toHex(opened)).toBe(toHex(plaintext));
      }),
    );
  });

  it('refuses each flip of a single bit, wherever it is', () => {
    const parts = ['key', 'nonce', 'aad', 'ciphertext', 'tag'] as const;
    fc.assert(
      fc.property(fc.record(inputs), fc.constantFrom(...parts), fc.nat(), (input, part, at) => {
        const { key, nonce, aad, plaintext } = input;
        const original = { key, nonce, aad, ...seal(key, nonce, aad, plaintext) };
        const target = original[part];
        fc.pre(target.length > 0);
        const changed = { ...original, [part]: flipBit(target, at % (target.length * 8)) };
        expect(() => open(changed.key, changed.nonce, changed.aad, changed)).toThrow(AeadError);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses ciphertext that is cut or longer', () => {
    const { ciphertext, tag } = seal(KEY, NONCE, AAD, PLAINTEXT);
    const others: Sealed[] = [
      { ciphertext: ciphertext.subarray(1), tag },
      { ciphertext: ciphertext.subarray(0, -1), tag },
      { ciphertext: Buffer.concat([ciphertext, Buffer.alloc(1)]), tag },
    ];
    for (const other of others) expect(() => open(KEY, NONCE, AAD, other)).toThrow(AeadError);
  });
});
