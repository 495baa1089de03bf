import type { Sent } from './evidence.ts';
import type { Operation } from './operations.ts';
import {
  Browser,
  browse,
  factorOf,
  logIn,
  newPerson,
  type Person,
  secondStep,
  signedIn,
  viewOf,
} from './people.ts';
import { challenges, withApp, withTotp } from './second-factors.ts';
import type { Client } from './team.ts';

/** Longer than a used refresh token may come again without consequences, by any two clocks of most histories. */
const LATER_MS = 12_000;

/** Sessions, from the login to their end. */
export const loginOperations: readonly Operation[] = [
  { name: 'log in', weight: 5, run: logInAnew },
  { name: 'log in with a wrong password', weight: 3, run: logInWrongly },
  { name: 'log in to an unknown account', weight: 2, run: logInAsNobody },
  { name: 'log in twice with one code', weight: 4, run: reuseCode },
  { name: 'log in with a backup code', weight: 4, run: logInWithBackupCode },
  { name: 'send a wrong code', weight: 2, run: sendWrongCode },
  { name: 'refresh', weight: 4, run: refresh },
  { name: 'refresh twice at once', weight: 3, run: refreshTwice },
  { name: 'refresh with a used token', weight: 3, run: refreshLater },
  { name: 'look at the session', weight: 2, run: lookAtSession },
  { name: 'log out', weight: 3, run: logOut },
  { name: 'switch workspace', weight: 2, run: switchWorkspace },
  { name: 'send without a CSRF token', weight: 3, run: forge },
];

async function logInAnew(client: Client): Promise<boolean> {
  const person = client.pick(client.team.people);
  if (person === undefined) return false;
  const answer = await logIn(client, browserOf(client, person));
  return viewOf(answer).session !== undefined;
}

function browserOf(client: Client, person: Person): Browser {
  return client.pick(person.browsers) ?? new Browser(person);
}

async function logInWrongly(client: Client): Promise<boolean> {
  const person = client.pick(client.team.people);
  if (person === undefined) return false;
  const browser = client.chance(50) ? browserOf(client, person) : new Browser(person);
  const body = { email: person.email, password: client.world.secretText() };
  const answer = await browse(client, browser, 'POST', '/auth/login', { body });
  return viewOf(answer).code === 'login_refused';
}

async function logInAsNobody(client: Client): Promise<boolean> {
  const answer = await logIn(client, new Browser(newPerson(client, `nobody${client.below(3)}@mail.example`)));
  return viewOf(answer).code === 'login_refused';
}

async function reuseCode(client: Client): Promise<boolean> {
  const person = await withApp(client);
  if (person === undefined) return false;
  const logins = await challenges(client, person, 2);
  const factor = factorOf(client, person);
  const step = ([browser, mfaToken]: [Browser, string]) => secondStep(client, browser, mfaToken, factor);
  const answers = client.chance(50) ? await Promise.all(logins.map(step)) : [];
  if (answers.length === 0) for (const login of logins) answers.push(await step(login));
  return answers.some((answer) => answer?.status === 200);
}

/** One code in one login or two at once, at times a spent one; then one more code in a login that was completed. */
async function logInWithBackupCode(client: Client): Promise<boolean> {
  const person = await withApp(client);
  const isSpent = client.chance(20);
  const backupCode = person && client.pick(isSpent ? person.spentCodes : person.backupCodes);
  if (person === undefined || backupCode === undefined) return false;
  const logins = await challenges(client, person, client.chance(50) ? 2 : 1);
  const answers = await Promise.all(
    logins.map(([browser, mfaToken]) => secondStep(client, browser, mfaToken, { backupCode })),
  );
  const fresh = person.backupCodes.find((code) => !person.spentCodes.includes(code));
  const [first] = logins;
  if (first !== undefined && fresh !== undefined && client.chance(50))
    await secondStep(client, new Browser(person), first[1], { backupCode: fresh });
  return answers.some((answer) => answer?.status === 200);
}

async function sendWrongCode(client: Client): Promise<boolean> {
  const person = withTotp(client);
  const [login] = person === undefined ? [] : await challenges(client, person, 1);
  if (person === undefined || login === undefined) return false;
  const code = client.chance(50) ? '000000' : (client.pick(person.spentCodes) ?? '000000');
  const factor = code.length === 6 ? { code } : { backupCode: code };
  const answer = await secondStep(client, login[0], login[1], factor);
  return viewOf(answer).code === 'code_refused';
}

async function refresh(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  return (await browse(client, browser, 'POST', '/auth/refresh'))?.status === 200;
}

/** Two tabs. */
async function refreshTwice(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const answers = await Promise.all([1, 2].map(() => browse(client, browser, 'POST', '/auth/refresh')));
  return answers.some((answer) => answer?.status === 200);
}

/** Somebody who copied the cookies tries them, right away or later. */
async function refreshLater(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  if (browser.stale.length === 0) await browse(client, browser, 'POST', '/auth/refresh');
  const stale = client.pick(browser.stale);
  if (stale === undefined) return false;
  if (client.chance(60)) await client.world.scheduler.turn(LATER_MS);
  const headers = browser.headers('POST', stale.cookies);
  const answer = await client.exchange({
    method: 'POST',
    path: '/auth/refresh',
    headers,
    ip: client.address(),
  });
  await lookAtSession(client, browser);
  return answer?.status === 401;
}

/** With the cookies of now, or of before. */
async function lookAtSession(client: Client, known?: Browser): Promise<boolean> {
  const browser = known ?? (await signedIn(client));
  if (browser === undefined) return false;
  const path = client.chance(50) ? '/auth/session' : '/workspace';
  const stale = client.chance(30) ? client.pick(browser.stale)?.cookies : undefined;
  const rest = stale === undefined ? {} : { headers: browser.headers('GET', stale) };
  return (await browse(client, browser, 'GET', path, rest))?.status === 200;
}

async function logOut(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const cookies = new Map(browser.cookies);
  const answer = await browse(client, browser, 'POST', '/auth/logout');
  const headers = browser.headers('GET', cookies);
  // Whoever kept the cookies tries them on.
  await client.exchange({ method: 'GET', path: '/workspace', headers, ip: client.address() });
  return answer?.status === 204;
}

async function switchWorkspace(client: Client): Promise<boolean> {
  const shared = client.team.people.filter((person) =>
    client.others.some(({ people }) => people.includes(person)),
  );
  const browser = await signedIn(client, client.pick(shared) ?? client.pick(client.team.people));
  if (browser === undefined) return false;
  const { workspace, workspaces = [] } = viewOf(await browse(client, browser, 'GET', '/auth/session'));
  const foreign = client.pick(client.others)?.workspaceId;
  const workspaceId = client.chance(20)
    ? foreign
    : client.pick(workspaces.filter(({ id }) => id !== workspace?.id))?.id;
  const body = { workspaceId: workspaceId ?? `ws_${client.hex(16)}` };
  return (await browse(client, browser, 'POST', '/auth/switch-workspace', { body }))?.status === 200;
}

/** What another site has a browser send: its cookies, but not the session's token, or not from the vault's origin. */
async function forge(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const headers = browser.headers('POST');
  const forged = client.choose([
    { ...headers, 'x-csrf-token': `r1.${client.hex(32)}` },
    { ...headers, origin: 'https://evil.example' },
  ]);
  const [method, path, body] = client.choose<readonly [Sent['method'], string, Sent['body']?]>([
    ['POST', '/auth/logout'],
    ['POST', '/auth/sessions/revoke-all'],
    ['POST', '/auth/refresh'],
    ['POST', '/namespaces', { name: client.namespace() }],
  ]);
  const sent = {
    method,
    path,
    headers: forged,
    ip: client.address(),
    ...(body === undefined ? {} : { body }),
  };
  return (await client.exchange(sent))?.status === 403;
}
