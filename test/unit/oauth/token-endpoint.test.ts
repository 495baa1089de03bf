import { logger } from '../../../lambdas/shared/logger.ts';
import { callApi } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import {
  connected,
  EMAIL,
  errorOf,
  formCall,
  granted,
  oauthWorld,
  post,
  REDIRECT_URI,
  redeem,
  refresh,
  statusWith,
  tokensOf,
  VERIFIER,
} from './oauth-world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const INVALID_GRANT = [400, 'invalid_grant'];

const EXCHANGE = {
  grant_type: 'authorization_code',
  client_id: 'lockzero-cli',
  redirect_uri: REDIRECT_URI,
  code_verifier: VERIFIER,
  code: `lzc_${'A'.repeat(43)}`,
};
const REFRESH = {
  grant_type: 'refresh_token',
  client_id: 'lockzero-cli',
  refresh_token: `lzr_${'A'.repeat(43)}`,
};

it.each([
  ['no grant type', { ...EXCHANGE, grant_type: '' }, 'invalid_request'],
  ['OAuth 2.1: the password grant', { ...EXCHANGE, grant_type: 'password' }, 'unsupported_grant_type'],
  ['client credentials', { ...EXCHANGE, grant_type: 'client_credentials' }, 'unsupported_grant_type'],
  ['an unknown client', { ...EXCHANGE, client_id: 'lockzero-web' }, 'invalid_client'],
  ['no client', { ...EXCHANGE, client_id: '' }, 'invalid_client'],
  ['no code', { ...EXCHANGE, code: '' }, 'invalid_request'],
  ['no redirect URI', { ...EXCHANGE, redirect_uri: '' }, 'invalid_request'],
  ['RFC 7636: no verifier', { ...EXCHANGE, code_verifier: '' }, 'invalid_request'],
  ['a repeated parameter', { ...EXCHANGE, code: ['a', 'b'] }, 'invalid_request'],
  ['a parameter without end', { ...EXCHANGE, code: 'c'.repeat(5_000) }, 'invalid_request'],
  ['no refresh token', { ...REFRESH, refresh_token: '' }, 'invalid_request'],
  ['a scope, as there are none', { ...REFRESH, scope: 'all' }, 'invalid_scope'],
])('RFC 6749 section 5.2: %s is answered with its error', async (_, fields, error) => {
  const answer = await post(memoryVault(), '/oauth/token', fields);
  expect(errorOf(answer)).toEqual([400, error]);
  const { error_description: description } = answer.json as { error_description: string };
  expect(description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(Object.keys(answer.json as object)).toEqual(['error', 'error_description']);
});

it('RFC 6749 section 3.2: ignores parameters that it does not know, in the query as well', async () => {
  const { vault } = await oauthWorld();
  const { code } = await granted(vault);
  const form = formCall({ ...EXCHANGE, code, resource: 'https://vault.example.com', client_secret: 's' });
  const call = { method: 'POST', path: '/oauth/token', query: { a: '1' }, ...form };
  expect((await callApi(vault, call)).status).toBe(200);
});

it.each(['/oauth/token', '/oauth/revoke'])(
  'RFC 6749 section 5.2: clients are public, so %s refuses those that want to prove who they are, with 401',
  async (path) => {
    const { body, headers } = formCall({ ...EXCHANGE, token: 't' });
    const basic = { ...headers, Authorization: `Basic ${btoa('lockzero-cli:secret')}` };
    const answer = await callApi(memoryVault(), {
      method: 'POST',
      path,
      ...(body && { body }),
      headers: basic,
    });
    expect(errorOf(answer)).toEqual([401, 'invalid_client']);
    expect(answer.headers).toMatchObject({ 'WWW-Authenticate': expect.stringMatching(/^Basic /) });
  },
);

it.each(['/oauth/token', '/oauth/revoke'])(
  '%s takes forms only, and says so as RFC 6749 has it',
  async (path) => {
    const json = await callApi(memoryVault(), { method: 'POST', path, json: EXCHANGE });
    expect(errorOf(json)).toEqual([415, 'invalid_request']);
    const plain = await callApi(memoryVault(), { method: 'POST', path, body: 'grant_type=x' });
    expect(errorOf(plain)).toEqual([415, 'invalid_request']);
    const nothing = await callApi(memoryVault(), { method: 'POST', path });
    expect(errorOf(nothing)).toEqual([400, 'invalid_client']);
  },
);

it('X5 takes 60 requests a minute from an address, then says when to come again', async () => {
  const vault = memoryVault();
  const send = (n: number) => redeem(vault, `lzc_${String(n).padStart(43, 'A')}`);
  for (let n = 0; n < 60; n += 1) expect(errorOf(await send(n))).toEqual(INVALID_GRANT);
  const answer = await send(60);
  expect(errorOf(answer)).toEqual([429, 'temporarily_unavailable']);
  expect(answer.headers).toMatchObject({ 'Retry-After': '60' });
  vault.clock.advance(MINUTE_MS);
  expect(errorOf(await send(61))).toEqual(INVALID_GRANT);
});

it('answers 503 where the store does not, and gives no token', async () => {
  const { vault } = await oauthWorld();
  const { code } = await granted(vault);
  jest.spyOn(logger, 'error').mockImplementation();
  vault.tables.faults = async ({ name }) => (name === 'store.find' ? 'before' : 'none');
  const answer = await redeem(vault, code);
  expect(errorOf(answer)).toEqual([503, 'temporarily_unavailable']);
  expect(answer.headers).toMatchObject({ 'Retry-After': '2' });
});

describe('refreshing', () => {
  async function world() {
    const made = await oauthWorld();
    return { ...made, ...(await connected(made.vault)) };
  }
  const next = async (vault: MemoryVault, token: string) => tokensOf(await refresh(vault, token));

  it('I6 gives a new pair each time, without CSRF token or cookies', async () => {
    const { vault, refresh_token } = await world();
    const second = await next(vault, refresh_token);
    const third = await next(vault, second.refresh_token);
    expect(new Set([refresh_token, second.refresh_token, third.refresh_token]).size).toBe(3);
    expect(await statusWith(vault, third.access_token)).toBe(200);
  });

  it('I4 a used token that comes again within ten seconds merely fails', async () => {
    const { vault, refresh_token } = await world();
    const { access_token } = await next(vault, refresh_token);
    vault.clock.advance(10 * SECOND_MS);
    expect(errorOf(await refresh(vault, refresh_token))).toEqual(INVALID_GRANT);
    expect(await statusWith(vault, access_token)).toBe(200);
  });

  it('I4 RFC 9700 section 4.14.2: later it ends the session, however many came after it', async () => {
    const { vault, refresh_token } = await world();
    let tokens = await next(vault, refresh_token);
    tokens = await next(vault, tokens.refresh_token);
    tokens = await next(vault, tokens.refresh_token);
    vault.clock.advance(11 * SECOND_MS);
    expect(errorOf(await refresh(vault, refresh_token))).toEqual(INVALID_GRANT);
    expect(await statusWith(vault, tokens.access_token)).toBe(401);
    expect(errorOf(await refresh(vault, tokens.refresh_token))).toEqual(INVALID_GRANT);
  });

  it('of 20 at once with one token exactly one wins', async () => {
    const { vault, refresh_token } = await world();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(vault, refresh_token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('I6 a token belongs to its client: another one, or a browser, gets nothing for it', async () => {
    const { vault, refresh_token } = await world();
    expect(errorOf(await refresh(vault, refresh_token, { client_id: 'lockzero-sdk' }))).toEqual(
      INVALID_GRANT,
    );
    const browser = new Browser(vault);
    browser.cookies.set('__Host-lockzero_refresh', refresh_token);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    expect((await refresh(vault, refresh_token)).status).toBe(200);
  });

  it("a browser's token is none of a client", async () => {
    const { vault } = await world();
    const browser = await loggedIn(vault, EMAIL);
    const token = browser.cookies.get('__Host-lockzero_refresh') ?? '';
    expect(errorOf(await refresh(vault, token))).toEqual(INVALID_GRANT);
    expect((await browser.get('/auth/session')).status).toBe(200);
  });

  it('I4 does not prolong the idle time of half an hour', async () => {
    const { vault, refresh_token } = await world();
    vault.clock.advance(20 * MINUTE_MS);
    const { refresh_token: second } = await next(vault, refresh_token);
    vault.clock.advance(11 * MINUTE_MS);
    expect(errorOf(await refresh(vault, second))).toEqual(INVALID_GRANT);
  });

  it.each([
    ['a code', 'lzc'],
    ['an invitation', 'lzi'],
    ['a link to set a password', 'lzp'],
  ])('%s is no refresh token', async (_, prefix) => {
    const { vault } = await world();
    expect(errorOf(await refresh(vault, `${prefix}_${'A'.repeat(43)}`))).toEqual(INVALID_GRANT);
  });
});
