import type { Operation } from './operations.ts';
import {
  Browser,
  browse,
  factorOf,
  learnPassword,
  linkTo,
  logIn,
  signedIn,
  steppedUp,
  stepUp,
  viewOf,
} from './people.ts';
import { challenges, enroll, withTotp } from './second-factors.ts';
import type { Client } from './team.ts';

/** What people do about their own account. */
export const accountOperations: readonly Operation[] = [
  { name: 'step up', weight: 3, run: stepUpAgain },
  { name: 'step up with a wrong proof', weight: 2, run: stepUpWrongly },
  { name: 'reveal as a person', weight: 6, run: revealAsPerson },
  { name: 'list sessions', weight: 2, run: listSessions },
  { name: 'revoke a session', weight: 3, run: revokeSession },
  { name: 'revoke all sessions', weight: 2, run: revokeAll },
  { name: 'change the password', weight: 3, run: changePassword },
  { name: 'reset the password', weight: 3, run: resetPassword },
  { name: 'switch MFA on', weight: 5, run: async (client) => (await enroll(client)) !== undefined },
  { name: 'switch MFA off', weight: 1, run: switchMfaOff },
  { name: 'replace backup codes', weight: 1, run: replaceBackupCodes },
];

async function stepUpAgain(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const { person } = browser;
  const backupCode = client.pick(person.backupCodes);
  const proof = client.choose([
    { password: person.password },
    person.totpSecret === undefined ? { password: person.password } : factorOf(client, person),
    backupCode === undefined ? { password: person.password } : { backupCode },
  ]);
  return (await stepUp(client, browser, proof))?.status === 200;
}

async function stepUpWrongly(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const answer = await stepUp(client, browser, { password: client.world.secretText() });
  return viewOf(answer).code === 'login_refused';
}

async function revealAsPerson(client: Client): Promise<boolean> {
  const browser = await (client.chance(80) ? steppedUp : signedIn)(client);
  if (browser === undefined) return false;
  const path = `/secrets/${client.secret().id}/reveal`;
  return (await browse(client, browser, 'POST', path, { body: {} }))?.status === 200;
}

async function listSessions(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  return (await browse(client, browser, 'GET', '/auth/sessions'))?.status === 200;
}

/** One of their own; or somebody else's, which is answered like one that nobody has. */
async function revokeSession(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const own = browser.person.browsers;
  const all = [client.team, ...client.others].flatMap(({ people }) =>
    people.flatMap(({ browsers }) => browsers),
  );
  const chosen = client.pick(client.chance(70) ? own : all);
  const id = chosen?.sessionId ?? `ses_${client.hex(16)}`;
  const answer = await browse(client, browser, 'DELETE', `/auth/sessions/${id}`);
  if (chosen !== undefined) await browse(client, chosen, 'GET', '/workspace');
  return answer?.status === 204;
}

async function revokeAll(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const other = await elsewhere(client, browser);
  const answer = await browse(client, browser, 'POST', '/auth/sessions/revoke-all');
  if (other.isLoggedIn) await browse(client, other, 'GET', '/workspace');
  return answer?.status === 204;
}

/** Another browser of the same person, most often with a session of its own. */
async function elsewhere(client: Client, { person }: Browser): Promise<Browser> {
  const other = client.pick(person.browsers.filter(({ isLoggedIn }) => isLoggedIn));
  if (other !== undefined && client.chance(50)) return other;
  const browser = new Browser(person);
  await logIn(client, browser);
  return browser;
}

async function changePassword(client: Client): Promise<boolean> {
  const browser = await signedIn(client);
  if (browser === undefined) return false;
  const { person } = browser;
  const newPassword = client.world.secretText();
  const currentPassword = client.chance(90) ? person.password : client.world.secretText();
  const body = { currentPassword, newPassword };
  const other = await elsewhere(client, browser);
  const answer = await browse(client, browser, 'POST', '/auth/password', { body });
  learnPassword(person, newPassword, answer?.status);
  if (other.isLoggedIn) await browse(client, other, 'GET', '/workspace');
  return answer?.status === 204;
}

/** Asks for a link, and uses it: at times twice at once, or once more later. */
async function resetPassword(client: Client): Promise<boolean> {
  const person = client.pick(client.team.people);
  if (person === undefined) return false;
  const browser = new Browser(person);
  await browse(client, browser, 'POST', '/auth/password/forgot', { body: { email: person.email } });
  const token = linkTo(client, person.email, 'lzp');
  if (token === undefined) return false;
  const use = async (): Promise<boolean> => {
    const newPassword = client.world.secretText();
    const body = { token, newPassword };
    const answer = await browse(client, browser, 'POST', '/auth/password/reset', { body });
    learnPassword(person, newPassword, answer?.status);
    return answer?.status === 204;
  };
  if (client.chance(50)) return (await Promise.all([use(), use()])).includes(true);
  const isDone = await use();
  if (client.chance(70)) await use();
  return isDone;
}

async function switchMfaOff(client: Client): Promise<boolean> {
  const person = withTotp(client);
  const browser = person && (await steppedUp(client, person));
  if (browser === undefined) return false;
  const answer = await browse(client, browser, 'DELETE', '/auth/mfa/totp');
  if (answer?.status !== 204) return false;
  browser.person.totpSecret = undefined;
  browser.person.backupCodes = [];
  return true;
}

async function replaceBackupCodes(client: Client): Promise<boolean> {
  const person = withTotp(client);
  const browser = person && (await steppedUp(client, person));
  if (browser === undefined || person === undefined) return false;
  const [former] = person.backupCodes;
  const { backupCodes } = viewOf(await browse(client, browser, 'POST', '/auth/mfa/backup-codes'));
  if (backupCodes === undefined) return false;
  person.backupCodes = [...backupCodes];
  const [login] = await challenges(client, person, 1);
  if (login !== undefined && former !== undefined) {
    const body = { mfaToken: login[1], backupCode: former };
    await browse(client, login[0], 'POST', '/auth/mfa', { body });
  }
  return true;
}
