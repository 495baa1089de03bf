import {
  type BackupCodeHash,
  findBackupCode,
  hashBackupCodes,
  newBackupCodes,
} from '../../../core/identity/backup-codes.ts';
import { createPasswordHasher, type PasswordHasher } from '../../../core/identity/passwords.ts';
import { SeededRandom } from '../../support/random.ts';

const hasher = createPasswordHasher({ memoryCost: 64, timeCost: 1, parallelism: 1 });
const codes = newBackupCodes(new SeededRandom(11));
let hashes: readonly BackupCodeHash[];
beforeAll(async () => {
  hashes = await hashBackupCodes(hasher, codes);
});

function codeAt(number: number): string {
  const code = codes[number];
  if (code === undefined) throw new Error(`There is no code ${number}.`);
  return code;
}

describe('new codes', () => {
  it('I3: are ten, each with its number and 50 random bits', () => {
    expect(codes).toHaveLength(10);
    for (const [number, code] of codes.entries()) {
      expect(code).toMatch(/^\d-[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
      expect(code.startsWith(`${number}-`)).toBe(true);
    }
    expect(new Set(codes.map((code) => code.slice(2))).size).toBe(10);
  });

  it('take each of the 32 characters equally often', () => {
    const all = { bytes: (size: number) => Uint8Array.from({ length: size }, (_, index) => next + index) };
    const seen = new Map<string, number>();
    let next = 0;
    for (; next < 256 * 10; next += 10) {
      const [code = ''] = newBackupCodes(all);
      for (const character of code.slice(2).replace('-', '')) {
        seen.set(character, (seen.get(character) ?? 0) + 1);
      }
    }
    expect(seen.size).toBe(32);
    expect(new Set(seen.values())).toEqual(new Set([80]));
  });
});

it('I3: codes are stored as Argon2id hashes only', () => {
  expect(hashes).toHaveLength(10);
  for (const entry of hashes) {
    expect(entry).toEqual({ hash: expect.stringMatching(/^\$argon2id\$/) });
  }
});

describe('finding a code', () => {
  it('tells the number of each', async () => {
    for (const [number, code] of codes.entries()) {
      expect(await findBackupCode(hasher, hashes, code)).toBe(number);
    }
  });

  it('I3: each works once', async () => {
    const used = hashes.with(3, { hash: hashes[3]?.hash ?? '', usedAt: '2026-01-01T00:00:00.000Z' });
    expect(await findBackupCode(hasher, used, codeAt(3))).toBeUndefined();
    expect(await findBackupCode(hasher, used, codeAt(4))).toBe(4);
  });

  it('forgives case, spaces, hyphens and look-alikes', async () => {
    const [hash = { hash: '' }] = await hashBackupCodes(hasher, ['0-01k10-11xyz']);
    const forms = [
      '0-01k10-11xyz',
      '001k1011xyz',
      ' 0 01K10 11XYZ ',
      'O-OIKLO-ilxyz',
      '0--01k10--11xyz',
      'o-0lkio-LIXYZ',
    ];
    for (const form of forms) expect(await findBackupCode(hasher, [hash], form)).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['a number alone', '4'],
    ['a code without its number', codeAt(4).slice(2)],
    ['the code of another number', `5${codeAt(4).slice(1)}`],
    ['a code that is cut', codeAt(4).slice(0, -1)],
    ['a longer code', `${codeAt(4)}0`],
    ['another alphabet', '4-uuuuu-uuuuu'],
    ['a wrong code', '4-00000-00000'],
    ['something long', '4'.repeat(100_000)],
    ['a TOTP code', '123456'],
    ['a number in other digits', `٤${codeAt(4).slice(1)}`],
  ])('refuses %s', async (_, text) => {
    expect(await findBackupCode(hasher, hashes, text)).toBeUndefined();
  });

  it('refuses when no codes were made', async () => {
    expect(await findBackupCode(hasher, [], codeAt(0))).toBeUndefined();
  });

  it('takes one hash, whatever is asked', async () => {
    const asked: string[] = [];
    const counting: PasswordHasher = {
      ...hasher,
      verify(hash, password) {
        asked.push(hash);
        return hasher.verify(hash, password);
      },
    };
    const used = hashes.with(3, { hash: hashes[3]?.hash ?? '', usedAt: '2026-01-01T00:00:00.000Z' });
    for (const text of [codeAt(4), codeAt(3), '4-00000-00000', 'nonsense', '']) {
      await findBackupCode(counting, used, text);
    }
    const [right, spent, dummy] = [hashes[4]?.hash, hashes[3]?.hash, hasher.dummyHash];
    expect(asked).toEqual([right, spent, right, dummy, dummy]);
  });
});
