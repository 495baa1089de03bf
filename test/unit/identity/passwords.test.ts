import { ARGON2ID, createPasswordHasher } from '../../../core/identity/passwords.ts';

const CHEAP = { memoryCost: 64, timeCost: 1, parallelism: 1 };
const hasher = createPasswordHasher(CHEAP);

it('I1: hashes with Argon2id at or above what OWASP advises, with a salt for each password', async () => {
  expect(ARGON2ID.memoryCost).toBeGreaterThanOrEqual(19_456);
  expect(ARGON2ID.timeCost).toBeGreaterThanOrEqual(2);
  const real = createPasswordHasher();
  const hash = await real.hash('correct horse');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=32768,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await real.verify(hash, 'correct horse')).toBe(true);
  expect(await real.verify(hash, 'correct house')).toBe(false);
  expect(await hasher.hash('the same')).not.toBe(await hasher.hash('the same'));
});

describe('hashes of the reference implementation (P-H-C/phc-winner-argon2, src/test.c)', () => {
  it.each([
    '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  ])('%s', async (hash) => {
    expect(await hasher.verify(hash, 'password')).toBe(true);
    expect(await hasher.verify(hash, 'differentpassword')).toBe(false);
  });
});

describe('the text of a password', () => {
  it.each([
    [' spaces at the ends ', 'spaces at the ends'],
    ['Case', 'case'],
    [`${'x'.repeat(1_023)}y`, `${'x'.repeat(1_023)}z`],
    ['ﬁ', 'fi'],
    ['before\0after', 'before'],
  ])('is taken whole and as it is', async (password, other) => {
    const hash = await hasher.hash(password);
    expect(await hasher.verify(hash, password)).toBe(true);
    expect(await hasher.verify(hash, other)).toBe(false);
  });

  it('is the same however a keyboard composes its characters', async () => {
    const hash = await hasher.hash('cafe\u0301');
    expect(await hasher.verify(hash, 'caf\u00e9')).toBe(true);
    expect(await hasher.verify(await hasher.hash('caf\u00e9'), 'cafe\u0301')).toBe(true);
  });

  it.each([
    ['too long', 'x'.repeat(1_025)],
    ['with an unpaired surrogate', 'half an emoji \ud83d'],
    ['with a code point that is none', 'a\uffffb'],
  ])('%s matches nothing and is not hashed', async (_, password) => {
    await expect(hasher.hash(password)).rejects.toThrow('policy');
    const asked = 'not a hash, so that looking at it would throw';
    expect(await hasher.verify(asked, password)).toBe(false);
  });

  it('does not take an unpaired surrogate for the character that UTF-8 puts in its place', async () => {
    expect(await hasher.verify(await hasher.hash('a\ufffdb'), 'a\ud83db')).toBe(false);
  });
});

it('complains of a stored hash that is none', async () => {
  await expect(hasher.verify('swordfish', 'swordfish')).rejects.toThrow();
});

it('I2: the hash for unknown accounts costs what a real one does, and matches nothing', async () => {
  const parameters = (hash: string) => hash.split('$').slice(0, 4);
  for (const each of [hasher, createPasswordHasher()]) {
    const real = await each.hash('something');
    expect(parameters(each.dummyHash)).toEqual(parameters(real));
    expect(each.dummyHash).toHaveLength(real.length);
    expect(each.isOutdated(each.dummyHash)).toBe(false);
  }
  for (const password of ['', 'something', 'A'.repeat(43)]) {
    expect(await hasher.verify(hasher.dummyHash, password)).toBe(false);
  }
});

describe('a hash is outdated', () => {
  const today = createPasswordHasher({ memoryCost: 128, timeCost: 2, parallelism: 1 });
  const made = (memoryCost: number, timeCost: number) =>
    createPasswordHasher({ memoryCost, timeCost, parallelism: 1 }).hash('x');

  it.each([
    ['with less memory', 64, 2, true],
    ['with fewer passes', 128, 1, true],
    ['never with the same parameters', 128, 2, false],
    ['never with stronger ones', 256, 3, false],
  ])('%s', async (_, memoryCost, timeCost, outdated) => {
    expect(today.isOutdated(await made(memoryCost, timeCost))).toBe(outdated);
  });

  it.each(['$argon2i$v=19$m=256,t=3,p=1$c29tZXNhbHQ$x', '$argon2id$v=16$m=256,t=3,p=1$c29tZXNhbHQ$x', ''])(
    'by any other function or version: %j',
    (hash) => {
      expect(today.isOutdated(hash)).toBe(true);
    },
  );
});
