import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { answerErrors } from '../../../lambdas/api/http/answer-errors.ts';
import { readRequest } from '../../../lambdas/api/http/request.ts';
import { toResult } from '../../../lambdas/api/http/result.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { serve } from '../../../lambdas/api/serve.ts';
import { type ApiCall, apiEvent, callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, PUBLIC_URL } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { ADA, peopleWorld, rowsNamed } from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let browser: Browser;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
});

/** A mutation with the session's cookies and these headers, in place of those that the browser would send. */
function mutate(headers: Record<string, string>, path = '/namespaces') {
  const json = path === '/namespaces' ? { name: 'made' } : undefined;
  const call = { method: 'POST', path, headers: { Cookie: browser.cookieHeader(), ...headers } };
  return callApi(vault, json === undefined ? call : { ...call, json });
}
const good = () => ({ Origin: PUBLIC_URL, 'X-CSRF-Token': browser.csrfToken ?? '' });

describe('I7: a mutation by cookie needs the CSRF token of its session', () => {
  it('with it, it passes; without an Origin, too, as from an old browser', async () => {
    expect((await mutate(good())).status).toBe(201);
    const { Origin: _, ...rest } = good();
    expect((await mutate(rest, '/auth/logout')).status).toBe(204);
  });

  it.each([
    ['missing', async () => undefined],
    ['empty', async () => ''],
    ['made up', async () => `1.${'0'.repeat(64)}`],
    ['of another key', async () => `2.${(browser.csrfToken ?? '').slice(2)}`],
    ['cut', async () => (browser.csrfToken ?? '').slice(0, -1)],
    ['longer', async () => `${browser.csrfToken}0`],
    ['of another session of the same person', async () => (await loggedIn(vault, ADA)).csrfToken],
  ])('%s, it is refused', async (_, token) => {
    const value = await token();
    const headers = { Origin: PUBLIC_URL, ...(value === undefined ? {} : { 'X-CSRF-Token': value }) };
    const answer = await mutate(headers);
    expect([answer.status, problemCode(answer)]).toEqual([403, 'csrf_refused']);
    expect(problemCode(await mutate(headers, '/auth/refresh'))).toBe('csrf_refused');
    expect((await browser.get('/namespaces')).body['items']).toEqual([]);
  });

  it('every route that changes something by cookie refuses without it', async () => {
    for (const route of routes) {
      if (route.permission === 'public' || route.method === 'GET') continue;
      const path = route.path.replaceAll(/\{\w+\}/g, 'x');
      const headers = { Cookie: browser.cookieHeader(), Origin: PUBLIC_URL };
      const answer = await callApi(vault, { method: route.method, path, headers });
      expect([route.method, path, problemCode(answer)]).toEqual([route.method, path, 'csrf_refused']);
    }
  });

  it('reading needs none, and a Bearer token needs none', async () => {
    expect((await callApi(vault, get({ Cookie: browser.cookieHeader() }))).status).toBe(200);
    const token = browser.cookies.get('__Host-lockzero_access') ?? '';
    const json = { name: 'by-bearer' };
    expect((await callApi(vault, { method: 'POST', path: '/namespaces', token, json })).status).toBe(201);
  });

  it('a refusal is recorded with whose session was used', async () => {
    await mutate({ Origin: PUBLIC_URL });
    expect(rowsNamed(vault, workspaceId, 'authentication.failed')).toMatchObject([
      { entity: { type: 'user' }, result: 'denied', detail: { reason: 'csrf' } },
    ]);
  });
});

const get = (headers: Record<string, string>): ApiCall => ({ method: 'GET', path: '/secrets', headers });

describe('I7: what another origin had a browser send is refused, with the right token too', () => {
  it.each([
    { Origin: 'https://evil.example.com' },
    { Origin: 'null' },
    { Origin: `${PUBLIC_URL}.evil.example` },
    { Origin: 'http://vault.example.com' },
    { Origin: `${PUBLIC_URL}:8443` },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ])('%j', async (from) => {
    const headers = { 'X-CSRF-Token': browser.csrfToken ?? '', ...(from as Record<string, string>) };
    for (const path of ['/namespaces', '/auth/refresh', '/auth/logout']) {
      expect(problemCode(await mutate(headers, path))).toBe('csrf_refused');
    }
    for (const [path, json] of BEFORE_A_SESSION) {
      const call = { method: 'POST', path, json, headers: from as Record<string, string> };
      expect([path, problemCode(await callApi(vault, call))]).toEqual([path, 'csrf_refused']);
    }
  });
});

const EVIL = { Origin: 'https://evil.example.com' };
const BEFORE_A_SESSION: readonly (readonly [string, object])[] = [
  ['/auth/login', { email: ADA, password: PASSWORD }],
  ['/auth/mfa', { mfaToken: 'lzm_', code: '123456' }],
  ['/auth/password/forgot', { email: ADA }],
  ['/auth/password/reset', { token: 'lzp_', newPassword: PASSWORD }],
];

describe('I7: cookies are SameSite=Strict, HttpOnly, Secure', () => {
  const VALUE = '[A-Za-z0-9._-]+';

  it('those of a login, to the letter', async () => {
    const { cookies } = await new Browser(vault).logIn(ADA);
    const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';
    expect(cookies).toEqual([
      expect.stringMatching(new RegExp(`^__Host-lockzero_access=${VALUE}; Max-Age=295; ${attributes}$`)),
      expect.stringMatching(new RegExp(`^__Host-lockzero_refresh=${VALUE}; Max-Age=2592000; ${attributes}$`)),
      expect.stringMatching(new RegExp(`^__Host-lockzero_device=${VALUE}; Max-Age=15552000; ${attributes}$`)),
    ]);
  });

  it('those of every later answer, too', async () => {
    for (const path of ['/auth/refresh', '/auth/step-up', '/auth/logout']) {
      const { cookies } = await browser.post(
        path,
        path === '/auth/step-up' ? { password: PASSWORD } : undefined,
      );
      expect(cookies).toHaveLength(2);
      for (const cookie of cookies ?? []) {
        expect(cookie).toMatch(/^__Host-\w+=[^;]*; Max-Age=\d+; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
      }
    }
  });

  it('the value of a secret by name is for machines: cookies do not count there', async () => {
    await browser.post('/secrets', { namespace: 'prod', name: 'a', value: 'hush' });
    await browser.stepUp();
    const answer = await browser.get('/namespaces/prod/secrets/a/value');
    expect([answer.status, problemCode(answer)]).toEqual([401, 'unauthenticated']);
  });
});

describe('I7: the security headers are on every answer', () => {
  const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(answerErrors())
    .handler(async (event) => {
      const request = readRequest(event);
      return toResult(await serve(vault, routes, request), request.id);
    });

  it.each<[number, ApiCall]>([
    [200, { method: 'GET', path: '/health' }],
    [200, { method: 'POST', path: '/auth/login', json: { email: ADA, password: PASSWORD } }],
    [400, { method: 'POST', path: '/auth/login', json: {} }],
    [401, { method: 'GET', path: '/secrets' }],
    [401, { method: 'POST', path: '/auth/login', json: { email: ADA, password: 'wrong' } }],
    [403, { method: 'POST', path: '/auth/password/forgot', json: { email: ADA }, headers: EVIL }],
    [404, { method: 'GET', path: '/nothing-here' }],
    [405, { method: 'DELETE', path: '/auth/login' }],
    [415, { method: 'POST', path: '/auth/login', body: 'a=b', headers: { 'Content-Type': 'text/plain' } }],
  ])('%i', async (status, call) => {
    const result = await handler(apiEvent(call), {} as Context);
    expect(result.statusCode).toBe(status);
    expect(result.headers).toMatchObject({
      'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
      'Content-Security-Policy': expect.stringContaining("default-src 'none'"),
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Permissions-Policy': expect.any(String),
      'Cache-Control': 'no-store',
      'X-Request-Id': 'request-1',
    });
    expect(Object.keys(result.headers ?? {}).filter((name) => /^access-control/i.test(name))).toEqual([]);
  });
});
