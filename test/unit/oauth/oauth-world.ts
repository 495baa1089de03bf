import type { TOTP } from 'otpauth';
import { URI } from 'otpauth';
import type { Role } from '../../../core/access/role.ts';
import { BROWSER, type Session } from '../../../core/identity/session.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { apiWorld } from '../../support/api-world.ts';
import { type ApiCall, callApi } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn } from '../../support/people.ts';

export const EMAIL = 'ada@example.com';
export const REDIRECT_URI = 'http://127.0.0.1:51004/callback';
/** The pair of RFC 7636 appendix B. */
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** An authorization request with nothing wrong. */
export const REQUEST = {
  response_type: 'code',
  client_id: 'lockzero-cli',
  redirect_uri: REDIRECT_URI,
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
  state: 'a state & more',
};

type Fields = { readonly [name: string]: string | readonly string[] };

/** A vault with a workspace and a person in it. */
export async function oauthWorld(role: Role = 'operator') {
  const { vault, workspaceId } = await apiWorld();
  const user = await addPerson(vault, workspaceId, { email: EMAIL, role });
  return { vault, workspaceId, user };
}

export function authorize(vault: Vault, query: Fields): Promise<ApiResponse> {
  return callApi(vault, { method: 'GET', path: '/oauth/authorize', query });
}

/** A form as a browser sends it. */
export function formCall(fields: Fields): Pick<ApiCall, 'body' | 'headers'> {
  const form = new URLSearchParams();
  for (const [name, values] of Object.entries(fields))
    for (const value of [values].flat()) form.append(name, value);
  return {
    body: form.toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  };
}

/** Submits a form of a page, with its cookies. */
export function submit(browser: Browser, path: string, fields: Fields, headers: ApiCall['headers'] = {}) {
  const form = formCall(fields);
  return browser.post(path, undefined, { ...form, headers: { ...form.headers, ...headers } });
}

/** The hidden fields of a page's form. */
export function hiddenFields({ text = '' }: ApiResponse): { readonly [name: string]: string } {
  const inputs = text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g);
  return Object.fromEntries(
    [...inputs].map(([, name = '', value = '']) => [name, value.replaceAll('&amp;', '&')]),
  );
}

/** Where an answer sends the browser. */
export function locationOf({ status, headers = {} }: ApiResponse): URL {
  if (status !== 303) throw new Error(`A redirect was expected, not ${status}.`);
  return new URL(headers['Location'] ?? '', 'https://vault.example.com/oauth/login');
}

/** What a client gets in the query of its redirect URI. */
export function answerOf(response: ApiResponse): { readonly [name: string]: string } {
  const url = locationOf(response);
  if (`${url.origin}${url.pathname}` !== REDIRECT_URI)
    throw new Error(`The browser was sent to ${url.href}.`);
  return Object.fromEntries(url.searchParams);
}

/** The page that asks a person, in their browser. */
export function openConsent(browser: Browser, request: Fields = REQUEST) {
  return browser.get('/oauth/authorize', { query: request });
}

export async function decide(browser: Browser, decision: string, request: Fields = REQUEST) {
  const page = await openConsent(browser, request);
  return submit(browser, '/oauth/authorize', { ...hiddenFields(page), decision });
}

/** A person who has let a client act for them, and the code that it got. */
export async function granted(
  vault: MemoryVault,
): Promise<{ readonly browser: Browser; readonly code: string }> {
  const browser = await loggedIn(vault, EMAIL);
  const { code } = answerOf(await decide(browser, 'allow'));
  if (code === undefined) throw new Error('There is no code.');
  return { browser, code };
}

/** A token request of a client. */
export function post(vault: Vault, path: string, fields: Fields, ip = '198.51.100.20') {
  return callApi(vault, { method: 'POST', path, ip, ...formCall(fields) });
}

/** Exchanges a code as the client that it was made for. */
export function redeem(vault: Vault, code: string, change: Fields = {}) {
  return post(vault, '/oauth/token', {
    grant_type: 'authorization_code',
    client_id: 'lockzero-cli',
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
    code,
    ...change,
  });
}

export function refresh(vault: Vault, refreshToken: string, change: Fields = {}) {
  const fields = { grant_type: 'refresh_token', client_id: 'lockzero-cli', refresh_token: refreshToken };
  return post(vault, '/oauth/token', { ...fields, ...change });
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** A client's tokens, of a person who has let it act for them. */
export async function connected(vault: MemoryVault): Promise<Tokens & { readonly browser: Browser }> {
  const { browser, code } = await granted(vault);
  return { ...tokensOf(await redeem(vault, code)), browser };
}

export function tokensOf({ status, json }: ApiResponse): Tokens {
  if (status !== 200) throw new Error(`Tokens were expected, not ${status}: ${JSON.stringify(json)}`);
  return json as Tokens;
}

/** The error of RFC 6749 in an answer, with its status. */
export function errorOf({ status, json }: ApiResponse): readonly [number, string] {
  return [status, (json as { readonly error: string }).error];
}

/** A request with an access token: what it is answered with. */
export async function statusWith(vault: Vault, token: string): Promise<number> {
  return (await callApi(vault, { method: 'GET', path: '/secrets', token })).status;
}

/** Switches the second factor on; their browser stays logged in. */
export async function switchMfaOn(vault: MemoryVault, browser: Browser) {
  await browser.stepUp();
  const { body } = await browser.post('/auth/mfa/totp');
  const totp = URI.parse(String(body['uri'])) as TOTP;
  const confirmed = await browser.post('/auth/mfa/totp/confirm', { code: codeOf(vault, totp) });
  // The next code is of another step.
  vault.clock.advance(60_000);
  return { totp, backupCodes: confirmed.body['backupCodes'] as readonly string[] };
}

export function codeOf({ clock }: MemoryVault, totp: TOTP): string {
  return totp.generate({ timestamp: clock.now() });
}

/** The sessions of clients that have not ended. */
export function clientSessions({ tables }: MemoryVault): readonly Session[] {
  return [...tables.entities.values()]
    .flatMap(({ entity }) => (entity.kind === 'session' ? [entity as Session] : []))
    .filter(({ client, endedAt }) => client !== BROWSER && endedAt === undefined);
}
