import { createHash } from 'node:crypto';
import { NOTORIOUS_PASSWORDS } from '../../../local/pwned-passwords/notorious-passwords.ts';
import { createPwnedPasswordsService } from '../../../local/pwned-passwords/pwned-passwords.ts';
import { createPwnedPasswords } from '../../../net/pwned-passwords.ts';
import { serveStandIns } from './serve-stand-ins.ts';

let server: Awaited<ReturnType<typeof serveStandIns>>;
let url: string;
beforeAll(async () => {
  server = await serveStandIns({ '/_hibp': createPwnedPasswordsService() });
  url = `${server.url}/_hibp`;
});
afterAll(() => server.close());

const hashOf = (password: string): string => createHash('sha1').update(password).digest('hex').toUpperCase();

describe('through the adapter', () => {
  test.each(NOTORIOUS_PASSWORDS)('%s is known, with its count', async (password, count) => {
    const hash = hashOf(password);
    const range = await createPwnedPasswords(url).range(hash.slice(0, 5));
    expect(range.get(hash.slice(5))).toBe(count);
  });

  test('a password of nobody is not known, and the padding has the count 0', async () => {
    const hash = hashOf('kV7#mQ2!xZ9&');
    const range = await createPwnedPasswords(url).range(hash.slice(0, 5));
    expect(range.has(hash.slice(5))).toBe(false);
    expect(range.size).toBe(800);
    expect(new Set(range.values())).toEqual(new Set([0]));
  });
});

test('at least ten of the passwords pass a policy of 12 characters and four classes', () => {
  const passing = NOTORIOUS_PASSWORDS.filter(([password]) =>
    [/^.{12,}$/, /[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/].every((rule) => rule.test(password)),
  );
  expect(passing.length).toBeGreaterThanOrEqual(10);
});

test('the same range is the same text, whatever the case of its prefix', async () => {
  const read = async (prefix: string) => {
    const answer = await fetch(`${url}/range/${prefix}`, { headers: { 'Add-Padding': 'true' } });
    return answer.text();
  };
  const text = await read('ABCDE');
  expect(await read('ABCDE')).toBe(text);
  expect(await read('abcde')).toBe(text);
  expect(await read('ABCDF')).not.toBe(text);
});

test('without Add-Padding only what is known comes', async () => {
  const hash = hashOf('Password123!');
  const answer = await fetch(`${url}/range/${hash.slice(0, 5)}`);
  expect(await answer.text()).toMatch(new RegExp(`^${hash.slice(5)}:\\d+$`));
});

test.each([
  ['GET', '/range/ABCD', 400],
  ['GET', '/range/ABCDEF', 400],
  ['GET', '/range/ABCDG', 400],
  ['GET', '/', 404],
  ['POST', '/range/ABCDE', 404],
])('%s %s answers %d', async (method, path, status) => {
  expect((await fetch(url + path, { method })).status).toBe(status);
});
