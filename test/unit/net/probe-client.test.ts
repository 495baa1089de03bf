import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createProbeClient } from '../../../net/probe-client.ts';

const UNAVAILABLE = { code: 'unavailable' };

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
const server = createServer(async (request, response) => {
  const { method = '', url: path = '', headers } = request;
  requests.push({ method, url: path, headers, body: await text(request) });
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
  answer = (_, response) => response.writeHead(200).end('{"ok":true}');
});

it.each(['', '/', '//'])('sends what it is told to, below an address that ends in "%s"', async (end) => {
  const sent = { method: 'POST', path: '/secrets?a=b', token: 'lz_x', json: { name: 'é' } } as const;
  expect(await createProbeClient(url + end).send(sent)).toEqual({ status: 200, json: { ok: true } });
  expect(requests).toMatchObject([
    {
      method: 'POST',
      url: '/secrets?a=b',
      body: '{"name":"é"}',
      headers: { authorization: 'Bearer lz_x', 'content-type': 'application/json' },
    },
  ]);
});

it('shows nothing where there is nothing to show', async () => {
  await createProbeClient(url).send({ method: 'GET', path: '/health' });
  expect(requests[0]?.headers).not.toHaveProperty('authorization');
  expect(requests[0]?.headers).not.toHaveProperty('content-type');
});

it.each([
  [204, ''],
  [503, '<html>'],
  [200, '{'],
])('an answer with the status %d and %j has no JSON', async (status, body) => {
  answer = (_, response) => response.writeHead(status).end(body);
  expect(await createProbeClient(url).send({ method: 'GET', path: '/' })).toEqual({
    status,
    json: undefined,
  });
});

it.each<[string, (response: ServerResponse) => void]>([
  ['redirects', (response) => response.writeHead(302, { Location: `${url}/other` }).end()],
  ['breaks off', (response) => response.destroy()],
  ['does not answer', () => undefined],
  ['stops in the middle', (response) => response.writeHead(200).write('{')],
  ['goes on for too long', (response) => response.writeHead(200).end('x'.repeat(1024 * 1024 + 1))],
])('one that %s is unavailable', async (_, begin) => {
  answer = (_request, response) => begin(response);
  const sending = createProbeClient(url, 100).send({ method: 'GET', path: '/' });
  await expect(sending).rejects.toMatchObject(UNAVAILABLE);
  expect(requests).toHaveLength(1);
});
