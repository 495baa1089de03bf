import fc from 'fast-check';
import { type CursorBinding, createCursors } from '../../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../../core/crypto/derived-keys.ts';
import { SeededRandom } from '../../support/random.ts';

const BINDING: CursorBinding = {
  workspaceId: 'ws_1',
  principalId: 'key_1',
  route: 'GET /secrets',
  filters: { namespace: 'prod', tag: null },
};

function cursors(current = 'k1', ids = ['k1', 'k2']) {
  const secrets = new Map(ids.map((id) => [id, `the root secret ${id}`]));
  return createCursors(
    createDerivedKeys(async () => ({ current, secrets })),
    new SeededRandom(1),
  );
}

const refusal = { code: 'invalid_cursor' };

it('opens what it sealed, whatever the position', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ stringUnit: 'binary' }), async (position) => {
      const expected = JSON.parse(JSON.stringify(position));
      expect(await cursors().open(await cursors().seal(expected, BINDING), BINDING)).toEqual(expected);
    }),
  );
});

it('shows nothing of the position, and is another text each time', async () => {
  const issuer = cursors();
  const [first, second] = [
    await issuer.seal('db.password', BINDING),
    await issuer.seal('db.password', BINDING),
  ];
  expect(first).not.toBe(second);
  for (const cursor of [first, second]) {
    expect(cursor).toMatch(/^k1\.[A-Za-z0-9_-]+$/);
    expect(Buffer.from(cursor.slice(3), 'base64url').includes('password')).toBe(false);
  }
});

it.each<Partial<CursorBinding>>([
  { workspaceId: 'ws_2' },
  { principalId: 'key_2' },
  { route: 'GET /audit' },
  { filters: { namespace: 'prod', tag: 'x' } },
  { filters: { namespace: 'prod' } },
])('is refused where the binding differs: %j', async (other) => {
  const cursor = await cursors().seal('a', BINDING);
  await expect(cursors().open(cursor, { ...BINDING, ...other })).rejects.toMatchObject(refusal);
});

it('does not mind in which order filters are named', async () => {
  const cursor = await cursors().seal('a', BINDING);
  const reordered = { ...BINDING, filters: { tag: null, namespace: 'prod' } };
  expect(await cursors().open(cursor, reordered)).toBe('a');
});

it('refuses every change of a single character', async () => {
  const cursor = await cursors().seal({ after: 'x' }, BINDING);
  const alphabet = 'ABCabc019-_.=/+ \n';
  await fc.assert(
    fc.asyncProperty(fc.nat(cursor.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
      fc.pre(cursor[at] !== character);
      const forged = cursor.slice(0, at) + character + cursor.slice(at + 1);
      await expect(cursors().open(forged, BINDING)).rejects.toMatchObject(refusal);
    }),
    { numRuns: 500 },
  );
});

it.each([
  '',
  '.',
  'k1',
  'k1.',
  'k1.AAAA',
  '.AAAA',
  'k1.AAAA.AAAA',
  `k1.${'A'.repeat(38)}`,
  'é.\u{1F510}',
  'a'.repeat(10_000),
])('refuses what is no cursor: %.20j', async (text) => {
  await expect(cursors().open(text, BINDING)).rejects.toMatchObject(refusal);
});

describe('other spellings of the same bytes', () => {
  const spellings: [string, (cursor: string) => string][] = [
    ['padding', (cursor) => `${cursor}=`],
    ['the other alphabet', (cursor) => cursor.replaceAll('-', '+').replaceAll('_', '/')],
    ['white space', (cursor) => `${cursor.slice(0, 9)} ${cursor.slice(9)}`],
    ['a line break at the end', (cursor) => `${cursor}\n`],
    ['a further part', (cursor) => `${cursor}.`],
    ['spare bits set in the last character', (cursor) => setSpareBits(cursor)],
  ];

  it.each(spellings)('%s', async (_, respell) => {
    const issuer = cursors();
    let tried = 0;
    for (let i = 0; i < 40; i += 1) {
      const cursor = await issuer.seal('x'.repeat(i), BINDING);
      const respelled = respell(cursor);
      if (respelled === cursor) continue;
      tried += 1;
      await expect(issuer.open(respelled, BINDING)).rejects.toMatchObject(refusal);
    }
    expect(tried).toBeGreaterThan(0);
  });

  /** Base64 of 1 or 2 bytes over a multiple of 3 ends in a character whose last bits decoders ignore. */
  function setSpareBits(cursor: string): string {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const body = cursor.slice(3);
    if (body.length % 4 === 0) return cursor;
    return cursor.slice(0, -1) + alphabet[alphabet.indexOf(cursor.at(-1) ?? '') + 1];
  }
});

describe('when the root secret rotates', () => {
  it('opens cursors of the earlier secret while it is known, and seals under the new one', async () => {
    const cursor = await cursors('k1').seal('a', BINDING);
    expect(await cursors('k2').open(cursor, BINDING)).toBe('a');
    expect(await cursors('k2').seal('a', BINDING)).toMatch(/^k2\./);
  });

  it('refuses them once it is gone', async () => {
    const cursor = await cursors('k1').seal('a', BINDING);
    await expect(cursors('k2', ['k2']).open(cursor, BINDING)).rejects.toMatchObject(refusal);
  });

  it('refuses a cursor that names another key than it was sealed under', async () => {
    const cursor = await cursors('k1').seal('a', BINDING);
    await expect(cursors().open(`k2${cursor.slice(2)}`, BINDING)).rejects.toMatchObject(refusal);
  });
});
