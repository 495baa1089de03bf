import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import type { ResolveName } from '../../../net/resolve-name.ts';
import { createWebhookSender } from '../../../net/webhook-sender.ts';
import { TLS } from '../../support/tls.ts';

interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

const received: Received[] = [];
let answer: (response: ServerResponse) => void;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  received.push({ request, body: Buffer.concat(chunks).toString('utf8') });
  answer(response);
}

const sockets = new Set<Socket>();
const servers = {
  https: createHttps(TLS, serve),
  http: createHttp(serve),
  /** Takes connections and says nothing. */
  silent: createTcp(),
  /** Ends every connection at once. */
  hostile: createTcp((socket) => socket.end('nothing like HTTP\r\n\r\n')),
} satisfies Record<string, Server>;

beforeAll(async () => {
  for (const server of Object.values(servers)) {
    server.on('connection', (socket: Socket) => sockets.add(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of Object.values(servers)) {
    server.close();
    await once(server, 'close');
  }
});
beforeEach(() => {
  received.length = 0;
  answer = (response) => response.writeHead(202).end('taken');
});

const portOf = (server: keyof typeof servers): number => (servers[server].address() as AddressInfo).port;
const urlOf = (server: keyof typeof servers, path = '/events?x=1', host = 'siem.example.com') =>
  `${server === 'http' ? 'http' : 'https'}://${host}:${portOf(server)}${path}`;

/** Says for each question the next of some answers, and the last of them from then on. */
function resolver(...answers: (readonly string[])[]): ResolveName & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve: ResolveName = async (name) => {
    asked.push(name);
    return answers[Math.min(asked.length, answers.length) - 1] ?? [];
  };
  return Object.assign(resolve, { asked });
}

const LOOPBACK = resolver(['127.0.0.1']);
const REQUEST = { headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' }, body: '{"ä":1}' };

type Options = Partial<Parameters<typeof createWebhookSender>[0]>;

const failed = (reason: string) => ({ status: 'failed', reason });

/** To a server of this test: as if the loopback address were on the internet. */
const post = (url: string, options: Options = {}) =>
  createWebhookSender({
    allowPrivate: false,
    resolve: LOOPBACK,
    isAllowed: (address) => address === '127.0.0.1',
    ca: TLS.ca,
    ...options,
  }).post({ url, ...REQUEST });

describe('a request', () => {
  it('goes out with its headers and its body, by the name, over TLS', async () => {
    expect(await post(urlOf('https'))).toEqual({ status: 'answered', code: 202, body: 'taken' });
    const [{ request, body } = { request: undefined, body: '' }] = received;
    expect(body).toBe(REQUEST.body);
    expect(request).toMatchObject({ method: 'POST', url: '/events?x=1' });
    expect(request?.headers).toEqual({
      ...REQUEST.headers,
      host: `siem.example.com:${portOf('https')}`,
      'user-agent': 'lockzero',
      'accept-encoding': 'identity',
      'content-length': '8',
      connection: 'close',
    });
  });

  it.each([200, 204, 400, 410, 429, 500])('is answered with %d, whatever that means', async (code) => {
    answer = (response) => response.writeHead(code).end();
    expect(await post(urlOf('https'))).toEqual({ status: 'answered', code, body: '' });
  });

  it.each([
    ['120', 120],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
    ['1e9', undefined],
  ])('with Retry-After: %s', async (header, retryAfter) => {
    answer = (response) => response.writeHead(503, { 'Retry-After': header }).end();
    expect(await post(urlOf('https'))).toEqual({
      status: 'answered',
      code: 503,
      body: '',
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  });

  it('is not sent on to where an answer points', async () => {
    for (const code of [301, 302, 303, 307, 308]) {
      answer = (response) => response.writeHead(code, { Location: 'http://169.254.169.254/' }).end();
      expect(await post(urlOf('https'))).toMatchObject({ code });
    }
    expect(received).toHaveLength(5);
  });

  it('keeps 64 KiB of an answer that goes on for ever', async () => {
    answer = (response) => {
      response.writeHead(200);
      const more = (): boolean => response.write('x'.repeat(16_384), () => response.writable && more());
      more();
    };
    const outcome = await post(urlOf('https'));
    expect(outcome).toMatchObject({ status: 'answered', code: 200, body: 'x'.repeat(65_536) });
  });

  it('takes the status of an answer whose body never ends for the answer', async () => {
    answer = (response) => response.writeHead(200).write('part');
    expect(await post(urlOf('http'), { allowPrivate: true, totalMs: 1_000 })).toEqual({
      status: 'answered',
      code: 200,
      body: 'part',
    });
  });
});

describe('the address', () => {
  it('is the one that was checked, even if the name resolves otherwise a moment later', async () => {
    const rebinding = resolver(['127.0.0.1'], ['169.254.169.254']);
    expect(await post(urlOf('https'), { resolve: rebinding })).toMatchObject({ code: 202 });
    expect(rebinding.asked).toEqual(['siem.example.com']);
    expect(received).toHaveLength(1);
  });

  it('is refused when it is not on the internet, and nothing is connected to', async () => {
    const sender = createWebhookSender({ allowPrivate: false, resolve: LOOPBACK, ca: TLS.ca });
    expect(await sender.post({ url: urlOf('https'), ...REQUEST })).toEqual(failed('address_refused'));
    expect(received).toHaveLength(0);
  });

  it.each([[['127.0.0.1', '10.0.0.1']], [['fd00:ec2::254', '127.0.0.1']]])(
    'is refused with all others of its name when one of them is not on the internet: %j',
    async (addresses) => {
      expect(await post(urlOf('https'), { resolve: resolver(addresses) })).toEqual(failed('address_refused'));
      expect(received).toHaveLength(0);
    },
  );

  it.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://localhost/',
    'https://siem/',
    'https://vault.internal/',
    'https://siem.example.com:22/',
    'https://siem.example.com:80/',
    'http://siem.example.com/',
    'ftp://siem.example.com/',
    'https://user:password@siem.example.com/',
    'file:///etc/passwd',
    'nothing',
  ])('is not even looked up for %s', async (url) => {
    const resolve = resolver(['1.1.1.1']);
    expect(await post(url, { resolve })).toEqual(failed('address_refused'));
    expect(resolve.asked).toEqual([]);
  });

  it('may be private and without TLS where the configuration says so', async () => {
    const options = { allowPrivate: true, isAllowed: () => false };
    expect(await post(urlOf('http'), options)).toMatchObject({ code: 202 });
    expect(await post(urlOf('http', '/', '127.0.0.1'), options)).toMatchObject({ code: 202 });
    const bySystem = createWebhookSender({ allowPrivate: true });
    expect(await bySystem.post({ url: urlOf('http', '/', 'localhost'), ...REQUEST })).toMatchObject({
      code: 202,
    });
  });

  it('is another one of the name when the first cannot be reached', async () => {
    const resolve = resolver(['127.0.0.2', '127.0.0.1']);
    const isAllowed = (address: string): boolean => address.startsWith('127.');
    expect(await post(urlOf('https'), { resolve, isAllowed })).toMatchObject({ code: 202 });
  });

  it('that nobody has is none', async () => {
    expect(await post(urlOf('https'), { resolve: resolver([]) })).toEqual(failed('name_not_resolved'));
  });
});

describe('a failure', () => {
  it('to connect', async () => {
    const closed = createTcp();
    closed.listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await post(`https://siem.example.com:${port}/`)).toEqual(failed('connection_failed'));
  });

  it('of the certificate: of an unknown authority, or for another name', async () => {
    const sender = createWebhookSender({ allowPrivate: false, resolve: LOOPBACK, isAllowed: () => true });
    expect(await sender.post({ url: urlOf('https'), ...REQUEST })).toEqual(failed('tls_failed'));
    expect(await post(urlOf('https', '/', 'other.example.com'))).toEqual(failed('tls_failed'));
    expect(received).toHaveLength(0);
  });

  it('of TLS: too old, or none at all', async () => {
    const old = createHttps({ ...TLS, maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' }, serve);
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const url = `https://siem.example.com:${(old.address() as AddressInfo).port}/`;
    expect(await post(url)).toEqual(failed('tls_failed'));
    old.close();
    await once(old, 'close');
    expect(await post(urlOf('http').replace('http:', 'https:'))).toEqual(failed('tls_failed'));
  });

  it('of HTTP: a connection that ends, something else, or another protocol', async () => {
    answer = (response) => void response.socket?.destroy();
    expect(await post(urlOf('https'))).toEqual(failed('no_answer'));
    answer = (response) =>
      void response.socket?.end('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    expect(await post(urlOf('https'))).toEqual(failed('no_answer'));
    const plain = `http://siem.example.com:${portOf('hostile')}/`;
    expect(await post(plain, { allowPrivate: true })).toEqual(failed('no_answer'));
  });

  it('to answer in time, in the name servers, at the connection, or after it', async () => {
    const never: ResolveName = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    expect(await post(urlOf('https'), { resolve: never, connectMs: 50 })).toEqual(failed('timed_out'));
    expect(await post(urlOf('silent'), { connectMs: 50 })).toEqual(failed('timed_out'));
    answer = () => undefined;
    expect(await post(urlOf('https'), { totalMs: 300 })).toEqual(failed('timed_out'));
  });
});
