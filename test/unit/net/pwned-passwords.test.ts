import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPwnedPasswords } from '../../../net/pwned-passwords.ts';

const A = 'A'.repeat(35);
const B = 'B'.repeat(35);
const UNAVAILABLE = { code: 'unavailable', retryAfter: 2 };

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  answer(request, response);
});
let url: string;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});
beforeEach(() => {
  requests.length = 0;
});

function respond(body: string, status = 200, headers: Record<string, string> = {}): void {
  answer = (_, response) => response.writeHead(status, headers).end(body);
}
const range = (timeoutMs?: number) => createPwnedPasswords(url, fetch, timeoutMs).range('ABCDE');

it('asks for the prefix alone, with padding, and says who asks', async () => {
  respond(`${A}:1`);
  await range();
  expect(requests.map(({ method, url: path }) => [method, path])).toEqual([['GET', '/range/ABCDE']]);
  expect(requests[0]?.headers).toMatchObject({ 'add-padding': 'true', 'user-agent': 'lockzero' });
});

it.each([
  ['CRLF', `${A}:7\r\n${B}:0`],
  ['LF', `${A}:7\n${B}:0`],
  ['a line break at the end', `${A}:7\r\n${B}:0\r\n`],
])('reads lines with %s, padding included', async (_, body) => {
  respond(body);
  expect([...(await range())]).toEqual([
    [A, 7],
    [B, 0],
  ]);
});

it.each([
  ['nothing', ''],
  ['a page', '<html><body>Sign in to this network</body></html>'],
  ['a suffix in lower case', `${A.toLowerCase()}:1`],
  ['a short suffix', `${A.slice(1)}:1`],
  ['no count', `${A}:`],
  ['a negative count', `${A}:-1`],
  ['a count with a fraction', `${A}:1.5`],
  ['a count beyond all bounds', `${A}:${'9'.repeat(16)}`],
  ['a space', `${A}: 1`],
  ['an empty line between', `${A}:1\n\n${B}:1`],
  ['a byte order mark', `\uFEFF${A}:1`],
  ['the same suffix twice', `${A}:1\n${A}:0`],
  ['one odd line among good ones', `${A}:1\n${B}:1\nerror`],
])('an answer with %s is unavailable', async (_, body) => {
  respond(body);
  await expect(range()).rejects.toMatchObject(UNAVAILABLE);
});

it.each([204, 206, 400, 404, 429, 500, 503])('the status %d is unavailable', async (status) => {
  respond(status === 204 ? '' : `${A}:1`, status);
  await expect(range()).rejects.toMatchObject(UNAVAILABLE);
});

it('follows no redirect', async () => {
  respond('', 302, { Location: `${url}/range/00000` });
  await expect(range()).rejects.toMatchObject(UNAVAILABLE);
  expect(requests).toHaveLength(1);
});

it('reads at most 1 MiB', async () => {
  const lineBytes = 40;
  const bodyOf = (lines: number) =>
    Array.from({ length: lines }, (_, index) => `${String(index).padStart(35, '0')}:100`).join('\n');
  const fitting = Math.floor((1024 * 1024) / lineBytes);
  respond(bodyOf(fitting));
  expect((await range()).size).toBe(fitting);
  respond(bodyOf(fitting + 1));
  await expect(range()).rejects.toMatchObject(UNAVAILABLE);
});

it.each<[string, (response: ServerResponse) => void]>([
  ['does not answer', () => undefined],
  ['stops in the middle', (response) => response.writeHead(200).write(`${A}:1\n`)],
])('a service that %s is unavailable when the time is over', async (_, begin) => {
  answer = (_request, response) => begin(response);
  const error = await range(50).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ ...UNAVAILABLE, cause: { name: 'TimeoutError' } });
});

it('a service that breaks off, and one that is not there, are unavailable', async () => {
  answer = (_, response) => response.destroy();
  await expect(range()).rejects.toMatchObject(UNAVAILABLE);
  const nowhere = createPwnedPasswords('http://127.0.0.1:1');
  await expect(nowhere.range('ABCDE')).rejects.toMatchObject(UNAVAILABLE);
});

it.each(['', 'ABCD', 'ABCDEF', 'abcde', 'ABCDG', '../..', 'ABCDE\n'])(
  'never sends %j, which is no prefix',
  async (prefix) => {
    respond(`${A}:1`);
    await expect(createPwnedPasswords(url).range(prefix)).rejects.toThrow('5 upper-case hex digits');
    expect(requests).toEqual([]);
  },
);

it('asks Have I Been Pwned unless told otherwise', async () => {
  const asked: string[] = [];
  const fetchFn: typeof fetch = async (input) => {
    asked.push(String(input));
    return new Response(`${A}:1`);
  };
  await createPwnedPasswords(undefined, fetchFn).range('ABCDE');
  expect(asked).toEqual(['https://api.pwnedpasswords.com/range/ABCDE']);
});
