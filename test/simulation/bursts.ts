import type { Sent } from './evidence.ts';
import type { Operation } from './operations.ts';
import { grant, redemption } from './operations-programs.ts';
import { Browser, browse, factorOf, linkTo, type Person, signedIn } from './people.ts';
import { challenges, withApp } from './second-factors.ts';
import type { Client } from './team.ts';

const SIZE = 50;
const GUESSES = 30;
/** Fewer than a minute has rows for, and more than the limits for one address take. */
const ADDRESSES = 10;
/** Login limits are counted by the minute. */
const MINUTE_MS = 61_000;

/** Many requests at once with the one thing that is good once, or at one account. */
export const bursts: readonly Operation[] = [
  { name: 'burst: one refresh token', weight: 3, run: refreshAtOnce },
  { name: 'burst: one code, many logins', weight: 2, run: showCodeAtOnce },
  { name: 'burst: one backup code, many logins', weight: 2, run: showBackupCodeAtOnce },
  { name: 'burst: one OAuth code', weight: 3, run: redeemAtOnce },
  { name: 'burst: one reset link', weight: 3, run: resetAtOnce },
  { name: 'burst: one invitation', weight: 3, run: acceptAtOnce },
  { name: 'burst: wrong logins', weight: 7, run: guessAtOnce },
];

/** Sends them all at once from a few addresses, and notes that they belong together. */
async function atOnce(
  client: Client,
  name: string,
  requests: readonly Omit<Sent, 'ip'>[],
): Promise<number[]> {
  const { world } = client;
  const met = world.plan.met;
  const sent = requests.map((request, index) => ({
    ...request,
    ip: `198.51.100.${10 + (index % ADDRESSES)}`,
  }));
  const exchanges: number[] = [];
  const answers = await Promise.all(
    sent.map((one) => {
      exchanges.push(world.evidence.exchanges.length);
      return client.once(one);
    }),
  );
  world.evidence.bursts.push({ name, exchanges, isFaultless: world.plan.met === met });
  return answers.map((answer) => answer?.status ?? 0);
}

function post(browser: Browser, path: string, body: Sent['body']): Omit<Sent, 'ip'> {
  return { method: 'POST', path, headers: browser.headers('POST'), ...(body === undefined ? {} : { body }) };
}

async function refreshAtOnce(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  // One that stands, as far as one can tell.
  if (browser === undefined || (await browse(client, browser, 'POST', '/auth/refresh'))?.status !== 200)
    return false;
  const request = post(browser, '/auth/refresh', undefined);
  const statuses = await atOnce(
    client,
    'refresh',
    Array.from({ length: SIZE }, () => request),
  );
  browser.forgetSession();
  return statuses.includes(200);
}

/** As many logins as a minute takes, with a device that is known where there was a login before. */
async function manyLogins(client: Client, person: Person): Promise<[Browser, string][]> {
  const logins: [Browser, string][] = [];
  for (let minute = 0; minute < 3; minute += 1) {
    logins.push(...(await challenges(client, person, 17)));
    await client.world.scheduler.turn(MINUTE_MS);
  }
  return logins;
}

async function showCodeAtOnce(client: Client): Promise<boolean> {
  const person = await withApp(client);
  if (person === undefined) return false;
  const logins = await manyLogins(client, person);
  const factor = factorOf(client, person);
  const requests = logins.map(([browser, mfaToken]) => post(browser, '/auth/mfa', { mfaToken, ...factor }));
  return (await atOnce(client, 'code', requests)).includes(200);
}

async function showBackupCodeAtOnce(client: Client): Promise<boolean> {
  const person = await withApp(client);
  const backupCode = person?.backupCodes.find((code) => !person.spentCodes.includes(code));
  if (person === undefined || backupCode === undefined) return false;
  const logins = await manyLogins(client, person);
  person.spentCodes.push(backupCode);
  const requests = logins.map(([browser, mfaToken]) => post(browser, '/auth/mfa', { mfaToken, backupCode }));
  return (await atOnce(client, 'backup code', requests)).includes(200);
}

async function redeemAtOnce(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  const granted = browser && (await grant(client, browser));
  if (granted === undefined) return false;
  const request = redemption(granted);
  return (
    await atOnce(
      client,
      'OAuth code',
      Array.from({ length: SIZE }, () => request),
    )
  ).includes(200);
}

async function resetAtOnce(client: Client): Promise<boolean> {
  const person = client.pick(client.team.people);
  if (person === undefined) return false;
  const browser = new Browser(person);
  await browse(client, browser, 'POST', '/auth/password/forgot', { body: { email: person.email } });
  const token = linkTo(client, person.email, 'lzp');
  if (token === undefined) return false;
  const newPassword = client.world.secretText();
  const request = post(browser, '/auth/password/reset', { token, newPassword });
  const statuses = await atOnce(
    client,
    'reset link',
    Array.from({ length: SIZE }, () => request),
  );
  if (statuses.includes(204)) person.password = newPassword;
  else person.uncertainPassword = newPassword;
  return statuses.includes(204);
}

async function acceptAtOnce(client: Client): Promise<boolean> {
  const { token: key } = client.team.auditor;
  const email = `${client.hex(4)}@mail.example`;
  const body = { email, role: 'viewer' };
  await client.exchange(client.request('POST', '/workspace/invitations', { body }, key));
  const token = linkTo(client, email, 'lzi');
  if (token === undefined) return false;
  const password = client.world.secretText();
  const request = {
    method: 'POST',
    path: '/invitations/accept',
    headers: {},
    body: { token, password },
  } as const;
  const statuses = await atOnce(
    client,
    'invitation',
    Array.from({ length: SIZE }, () => request),
  );
  return statuses.includes(201);
}

/** Thirty guesses: no more than ten are looked at. */
async function guessAtOnce(client: Client): Promise<boolean> {
  const person = client.pick(client.team.people);
  const email = client.chance(50) && person !== undefined ? person.email : `${client.hex(4)}@mail.example`;
  const requests = Array.from({ length: GUESSES }, () => ({
    method: 'POST' as const,
    path: '/auth/login',
    headers: {},
    body: { email, password: client.world.secretText() },
  }));
  const statuses = await atOnce(client, 'wrong logins', requests);
  return statuses.includes(429);
}
