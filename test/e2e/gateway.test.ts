import { request as httpRequest } from 'node:http';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { SECURITY_HEADERS } from '../../lambdas/api/http/security-headers.ts';
import { RATE_LIMITED as EDGE_RATE_LIMITED } from '../../lib/constructs/problem-responses.ts';
import { createGateway, MAX_BODY_BYTES } from '../../local/gateway.ts';
import { createRateLimit, REQUESTS_PER_MINUTE } from '../../local/rate-limit.ts';
import { openServer, type Server } from '../../local/server.ts';
import { api } from '../support/api.ts';
import { FakeClock } from '../support/clock.ts';

const clock = new FakeClock();
const events: APIGatewayProxyEvent[] = [];
let answer: () => Promise<APIGatewayProxyResult>;
let server: Server;
let url: string;

beforeEach(async () => {
  clock.advance(60_000);
  events.length = 0;
  answer = async () => ({ statusCode: 200, body: 'well' });
});

beforeAll(async () => {
  const gateway = createGateway({
    invoke: (event) => {
      events.push(event);
      return answer();
    },
    rateLimit: createRateLimit(() => clock.now()),
    now: () => clock.now(),
  });
  server = await openServer(0, [gateway]);
  url = `http://127.0.0.1:${server.port}`;
});

afterAll(() => server.stop());

function onlyEvent(): APIGatewayProxyEvent {
  const [event, ...others] = events;
  if (event === undefined || others.length > 0) throw new Error(`There were ${events.length} events.`);
  return event;
}

describe('the event', () => {
  test('is a REST proxy event of the request', async () => {
    const path = '/namespaces/a%2Fb/secrets/%C3%A9/value';
    await api(url).put(`${path}?tag=x%20y&q=1&tag=z&empty=`, {
      raw: 'body',
      headers: { 'User-Agent': 'test/1', 'X-Custom': 'Ada' },
    });
    expect(onlyEvent()).toMatchObject({
      httpMethod: 'PUT',
      path,
      resource: '/{proxy+}',
      headers: { 'User-Agent': 'test/1', 'X-Custom': 'Ada' },
      multiValueHeaders: { 'X-Custom': ['Ada'] },
      queryStringParameters: { tag: 'z', q: '1', empty: '' },
      multiValueQueryStringParameters: { tag: ['x y', 'z'], q: ['1'], empty: [''] },
      body: Buffer.from('body').toString('base64'),
      isBase64Encoded: true,
      requestContext: {
        httpMethod: 'PUT',
        path,
        protocol: 'HTTP/1.1',
        stage: 'local',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        requestTimeEpoch: clock.now(),
        identity: { sourceIp: '127.0.0.1', userAgent: 'test/1' },
      },
    });
  });

  test('has null for a query and a body that are not there', async () => {
    await api(url).get('/');
    expect(onlyEvent()).toMatchObject({
      resource: '/',
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      body: null,
    });
  });

  test('keeps repeated headers apart, in order', async () => {
    const sent = httpRequest(`${url}/`, { headers: { 'X-Twice': ['one', 'two'] } }).end();
    await new Promise((resolve) => sent.on('response', (response) => response.resume().on('end', resolve)));
    const { headers, multiValueHeaders } = onlyEvent();
    expect([headers['X-Twice'], multiValueHeaders['X-Twice']]).toEqual(['two', ['one', 'two']]);
  });

  test('carries every byte of the body', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    await api(url).post('/', { raw: bytes });
    expect([...Buffer.from(onlyEvent().body ?? '', 'base64')]).toEqual([...bytes]);
  });

  test('takes names as they come, __proto__ included', async () => {
    await api(url).get('/?__proto__=1', { headers: { __proto__x: '2' } });
    const { queryStringParameters: query } = onlyEvent();
    expect(Object.entries(query ?? {})).toEqual([['__proto__', '1']]);
  });
});

describe('the answer', () => {
  test('has the status, headers and body of the function', async () => {
    answer = async () => ({
      statusCode: 418,
      headers: { 'X-One': 1 },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    });
    const response = await fetch(url);
    expect([response.status, response.headers.get('x-one')]).toEqual([418, '1']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255]);
  });

  test.each([204, 304])('has no body with status %i', async (statusCode) => {
    answer = async () => ({ statusCode, body: '' });
    const response = await fetch(url);
    expect([response.status, response.headers.get('content-length')]).toEqual([statusCode, null]);
  });

  test('to HEAD has no body', async () => {
    const response = await fetch(url, { method: 'HEAD' });
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['4', '']);
  });
});

describe('what the gateway answers itself', () => {
  async function expectProblem(response: Response, problem: object): Promise<void> {
    const requestId = response.headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      expect([name, response.headers.get(name)]).toEqual([name, value]);
    }
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      detail: expect.any(String),
      requestId,
      ...problem,
    });
  }

  test('10 MB pass, and one byte more is refused without a call', async () => {
    const largest = await fetch(url, { method: 'POST', body: new Uint8Array(MAX_BODY_BYTES) });
    expect([largest.status, events.length]).toEqual([200, 1]);
    const larger = await fetch(url, { method: 'POST', body: new Uint8Array(MAX_BODY_BYTES + 1) });
    expect([larger.status, events.length]).toEqual([413, 1]);
    await expectProblem(larger, { status: 413, code: 'payload_too_large' });
  });

  test.each<[string, () => Promise<APIGatewayProxyResult>]>([
    ['throws', async () => Promise.reject(new Error('a defect'))],
    ['answers nothing', async () => undefined as unknown as APIGatewayProxyResult],
    ['answers no body', async () => ({ statusCode: 200 }) as unknown as APIGatewayProxyResult],
  ])('a function that %s is a bad gateway, and says nothing of itself', async (_, crash) => {
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    answer = crash;
    const response = await fetch(url);
    expect(response.status).toBe(502);
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
    await expectProblem(response, { status: 502, code: 'internal' });
  });

  test('over 240 requests a minute are refused, as the deployed web ACL does', async () => {
    for (let count = 0; count < REQUESTS_PER_MINUTE; count += 1) expect((await fetch(url)).status).toBe(200);
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(events).toHaveLength(REQUESTS_PER_MINUTE);
    const { status, title, code, detail } = EDGE_RATE_LIMITED;
    await expectProblem(refused, { status, title, code, detail });

    clock.advance(59_999);
    expect((await fetch(url)).status).toBe(429);
    clock.advance(1);
    expect((await fetch(url)).status).toBe(200);
  });
});
