import { createHash } from 'node:crypto';
import type { Answer, Sent } from './evidence.ts';
import type { Operation } from './operations.ts';
import { type Browser, ORIGIN, signedIn, viewOf } from './people.ts';
import type { App, Client } from './team.ts';

const CLIENT = 'lockzero-cli';
const REDIRECT = 'http://127.0.0.1:4711/callback';

/** Programs that people let act for them (OAuth). */
export const programOperations: readonly Operation[] = [
  { name: 'let a program in', weight: 5, run: letIn },
  { name: 'step up as a program', weight: 3, run: stepUpAsProgram },
  { name: 'refresh as a program', weight: 4, run: refreshAsProgram },
  { name: 'revoke the token of a program', weight: 2, run: revokeToken },
];

/** A code that a person granted, with what it takes to redeem it. */
export interface Granted {
  readonly code: string;
  readonly verifier: string;
}

function form(
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Sent['headers'] = {},
): Omit<Sent, 'ip'> {
  return { method: 'POST', path, headers, form: fields };
}

/** A person at a browser says yes; at times the page was forged, and they never saw it. */
export async function grant(client: Client, browser: Browser): Promise<Granted | undefined> {
  const verifier = client.hex(32);
  const fields = {
    response_type: 'code',
    client_id: CLIENT,
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    csrf_token: client.chance(90) ? (browser.csrfToken ?? '') : `r1.${client.hex(32)}`,
    decision: 'allow',
  };
  const { cookie = '' } = browser.headers('POST');
  const request = form('/oauth/authorize', fields, { cookie, origin: ORIGIN });
  const answer = await client.exchange({ ...request, ip: client.address() });
  browser.keep(answer, client.world.scheduler.now);
  const code = codeIn(answer);
  return code === undefined ? undefined : { code, verifier };
}

function codeIn(answer: Answer | undefined): string | undefined {
  const location = answer?.headers['Location'] ?? '';
  return location.startsWith(REDIRECT)
    ? (new URL(location).searchParams.get('code') ?? undefined)
    : undefined;
}

export function redemption({ code, verifier }: Granted): Omit<Sent, 'ip'> {
  return form('/oauth/token', {
    grant_type: 'authorization_code',
    client_id: CLIENT,
    redirect_uri: REDIRECT,
    code,
    code_verifier: verifier,
  });
}

/** Redeems the code; at times with a wrong verifier first, twice at once, or once more later. */
async function letIn(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  const granted = browser && (await grant(client, browser));
  if (granted === undefined) return false;
  const redeem = async (one: Granted): Promise<boolean> => {
    const answer = await client.exchange({ ...redemption(one), ip: client.address() });
    const app = appIn(answer);
    if (app !== undefined) client.team.apps.push(app);
    return app !== undefined;
  };
  if (client.chance(20)) await redeem({ ...granted, verifier: client.hex(32) });
  if (client.chance(25)) return (await Promise.all([redeem(granted), redeem(granted)])).includes(true);
  const isIn = await redeem(granted);
  if (client.chance(15)) await redeem(granted);
  return isIn;
}

function appIn(answer: Answer | undefined): App | undefined {
  const { access_token, refresh_token, tokens } = viewOf(answer);
  const accessToken = access_token ?? tokens?.accessToken;
  const refreshToken = refresh_token ?? tokens?.refreshToken;
  if (accessToken === undefined || refreshToken === undefined) return undefined;
  return { accessToken, refreshToken };
}

function learn(app: App, answer: Answer | undefined): boolean {
  const next = appIn(answer);
  if (next !== undefined) Object.assign(app, next);
  return next !== undefined;
}

/** A program of the team's, which is let in if there is none. */
async function program(client: Client): Promise<App | undefined> {
  if (client.team.apps.length === 0) await letIn(client);
  return client.pick(client.team.apps);
}

async function stepUpAsProgram(client: Client): Promise<boolean> {
  const app = await program(client);
  const person = client.pick(client.team.people);
  if (app === undefined || person === undefined) return false;
  const body = { password: person.password };
  const headers = { authorization: `Bearer ${app.accessToken}` };
  const sent: Sent = { method: 'POST', path: '/auth/step-up', headers, body, ip: client.address() };
  return learn(app, await client.exchange(sent));
}

/** At times twice at once, or with the token from before. */
async function refreshAsProgram(client: Client): Promise<boolean> {
  const app = await program(client);
  if (app === undefined) return false;
  const { refreshToken } = app;
  const refresh = async (): Promise<boolean> => {
    const fields = { grant_type: 'refresh_token', client_id: CLIENT, refresh_token: refreshToken };
    return learn(app, await client.exchange({ ...form('/oauth/token', fields), ip: client.address() }));
  };
  if (client.chance(30)) return (await Promise.all([refresh(), refresh()])).includes(true);
  const isDone = await refresh();
  if (client.chance(15)) await refresh();
  return isDone;
}

async function revokeToken(client: Client): Promise<boolean> {
  const app = await program(client);
  if (app === undefined) return false;
  const token = client.choose([app.accessToken, app.refreshToken]);
  const fields = { client_id: CLIENT, token };
  const answer = await client.exchange({ ...form('/oauth/revoke', fields), ip: client.address() });
  await client.exchange(client.request('GET', '/workspace', {}, app.accessToken));
  return answer?.status === 200;
}
