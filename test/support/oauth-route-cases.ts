import { createHash } from 'node:crypto';
import { enableMfa, laterCode, NEXT_PASSWORD, resetToken } from './account-route-cases.ts';
import { callApi } from './call-api.ts';
import { invitationToken } from './member-route-cases.ts';
import { PASSWORD } from './people.ts';
import type { RouteCase } from './route-cases.ts';
import { expectSuccess, freshAddress, type Member, type World } from './world.ts';

const CLIENT_ID = 'lockzero-cli';
const REDIRECT_URI = 'http://127.0.0.1:4711/callback';
/** 43 characters, as RFC 7636 section 4.1 wants at least. */
const VERIFIER = 'v'.repeat(43);

const AUTHORIZATION = {
  response_type: 'code',
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
  state: 'state-1',
};

interface Fields {
  readonly [name: string]: string;
}

/** A form that a page of the vault sends. */
function form({ vault }: World, fields: Fields, headers: Fields = {}) {
  return {
    body: new URLSearchParams(fields).toString(),
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: vault.publicUrl,
      ...headers,
    },
    ip: freshAddress(),
  };
}

/** That somebody lets the client act for them. */
function consent(world: World, { browser }: Member) {
  const decision = { csrf_token: browser.csrfToken ?? '', decision: 'allow' };
  const cookie = { Cookie: browser.cookieHeader() };
  return { path: '/oauth/authorize', ...form(world, { ...AUTHORIZATION, ...decision }, cookie) };
}

async function codeExchange(world: World, by: Member) {
  const { headers = {} } = await callApi(world.vault, { ...consent(world, by), method: 'POST' });
  const code = new URL(headers['Location'] ?? '').searchParams.get('code') ?? '';
  const fields = {
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
  };
  return { path: '/oauth/token', ...form(world, fields) };
}

async function refreshToken(world: World, by: Member): Promise<string> {
  const { json } = await callApi(world.vault, { ...(await codeExchange(world, by)), method: 'POST' });
  return (json as { refresh_token: string }).refresh_token;
}

/** OAuth, and the pages that people see. */
export const OAUTH_ROUTE_CASES: readonly RouteCase[] = [
  {
    route: 'GET /.well-known/oauth-authorization-server',
    request: async () => ({ path: '/.well-known/oauth-authorization-server' }),
  },
  { route: 'GET /.well-known/jwks.json', request: async () => ({ path: '/.well-known/jwks.json' }) },
  {
    route: 'GET /oauth/authorize',
    request: async () => ({ path: '/oauth/authorize', query: AUTHORIZATION }),
  },
  {
    route: 'GET /oauth/authorize',
    when: 'logged in',
    request: async (_, { browser }) => ({
      path: '/oauth/authorize',
      query: AUTHORIZATION,
      headers: { Cookie: browser.cookieHeader() },
    }),
  },
  { route: 'POST /oauth/authorize', request: async (world, by) => consent(world, by) },
  {
    route: 'POST /oauth/login',
    request: async (world, { email }) => ({
      path: '/oauth/login',
      ...form(world, { ...AUTHORIZATION, email, password: PASSWORD }),
    }),
  },
  {
    route: 'POST /oauth/mfa',
    request: async (world, by) => {
      const totp = await enableMfa(world, by);
      const { mfaToken } = await expectSuccess(by.browser.logIn(by.email));
      const step = { mfa_token: String(mfaToken), code: laterCode(world, totp) };
      return { path: '/oauth/mfa', ...form(world, { ...AUTHORIZATION, ...step }) };
    },
  },
  { route: 'POST /oauth/token', when: 'a code', request: codeExchange },
  {
    route: 'POST /oauth/token',
    when: 'a refresh token',
    request: async (world, by) => {
      const token = await refreshToken(world, by);
      const fields = { grant_type: 'refresh_token', client_id: CLIENT_ID, refresh_token: token };
      return { path: '/oauth/token', ...form(world, fields) };
    },
  },
  {
    route: 'POST /oauth/revoke',
    request: async (world, by) => {
      const fields = { client_id: CLIENT_ID, token: await refreshToken(world, by) };
      return { path: '/oauth/revoke', ...form(world, fields) };
    },
  },
  {
    route: 'GET /accept-invitation',
    request: async (world) => ({
      path: '/accept-invitation',
      query: { token: await invitationToken(world) },
    }),
  },
  {
    route: 'POST /accept-invitation',
    request: async (world) => ({
      path: '/accept-invitation',
      ...form(world, { token: await invitationToken(world), password: PASSWORD }),
    }),
  },
  {
    route: 'GET /reset-password',
    request: async (world, by) => ({
      path: '/reset-password',
      query: { token: await resetToken(world, by) },
    }),
  },
  {
    route: 'POST /reset-password',
    request: async (world, by) => ({
      path: '/reset-password',
      ...form(world, { token: await resetToken(world, by), newPassword: NEXT_PASSWORD }),
    }),
  },
];
