import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { totpCode } from './authenticator.ts';
import { type Browser, openBrowser } from './browser.ts';
import { StoryError } from './client.ts';
import type { Secret } from './everyday.ts';
import type { Stage } from './stage.ts';

interface SessionJson {
  readonly session: { readonly id: string };
}

export interface Bea {
  readonly email: string;
  readonly password: string;
  /** Where she has logged in before. */
  readonly laptop: Browser;
}

const PASSWORD = 'Flying-Anvil-42-Umbrella';

/** Somebody new gets a mail, chooses a password, and logs in. */
export async function welcome({ scene, say, owner, url, outbox, namespace }: Stage): Promise<Bea> {
  const email = `bea-${namespace}@acme.example`;
  scene('Ada invites Bea as an operator');
  await owner.expect(201, 'POST', '/workspace/invitations', { json: { email, role: 'operator' } });
  const link = await linkTo(outbox, email);
  say(`POST /workspace/invitations`, `A mail to ${email} with a link that works once, for a week`);

  scene('Bea chooses a password');
  const laptop = openBrowser(url);
  const token = new URL(link).searchParams.get('token');
  const weak = await laptop.send<{ readonly errors?: readonly { readonly reason: string }[] }>(
    'POST',
    '/invitations/accept',
    { token, password: 'hunter2' },
  );
  say(`POST /invitations/accept with "hunter2"`, `${weak.status}: it ${weak.json.errors?.[0]?.reason}`);
  await laptop.expect(201, 'POST', '/invitations/accept', { token, password: PASSWORD });
  const { notice } = await laptop.expect<{ readonly notice: string }>(200, 'POST', '/auth/login', {
    email,
    password: PASSWORD,
  });
  say('POST /auth/login with a better one: 200, and the notice', `"${notice.slice(0, 76)}…"`);
  return { email, password: PASSWORD, laptop };
}

/** Ten guesses lock the account; its owner's own laptop is not locked out. */
export async function lockout({ scene, say, url }: Stage, { email, password, laptop }: Bea): Promise<void> {
  scene("Somebody guesses at Bea's password");
  const stranger = openBrowser(url);
  for (let guess = 1; guess <= 10; guess += 1) {
    await stranger.expect(401, 'POST', '/auth/login', { email, password: `Guess-Number-${guess}!` });
  }
  const locked = await stranger.send('POST', '/auth/login', { email, password });
  say('Ten times 401, and then', `${locked.status} ${locked.json.code}: ${locked.json.detail}`);
  if (locked.status !== 429) throw new StoryError('The tenth failed login did not lock the account.');

  scene('Bea, in the browser where she has been before, still gets in');
  await laptop.expect(200, 'POST', '/auth/login', { email, password });
  say('POST /auth/login from the known device: 200');
}

/** A second factor: set up, demanded at the next login, and good once. */
export async function secondFactor(
  { scene, say }: Stage,
  { email, password, laptop }: Bea,
  secret: Secret,
): Promise<void> {
  scene('Bea reveals a secret, and sets up a second factor');
  const asked = await laptop.send('POST', `/secrets/${secret.id}/reveal`, {});
  say(`POST /secrets/${secret.id}/reveal`, `${asked.status} ${asked.json.code}: ${asked.json.detail}`);
  if (asked.status !== 403) throw new StoryError('A reveal went without a step-up.');
  await laptop.expect(200, 'POST', '/auth/step-up', { password });
  await laptop.expect(200, 'POST', `/secrets/${secret.id}/reveal`, {});
  say('POST /auth/step-up with her password, and the reveal goes through');
  const app = await laptop.expect<{ readonly secret: string }>(201, 'POST', '/auth/mfa/totp');
  const firstCode = totpCode(app.secret);
  const { backupCodes } = await laptop.expect<{ readonly backupCodes: readonly string[] }>(
    200,
    'POST',
    '/auth/mfa/totp/confirm',
    { code: firstCode },
  );
  say(`POST /auth/mfa/totp and its first code: MFA is on, with ${backupCodes.length} backup codes`);

  scene('From now on her password is not enough');
  const first = await laptop.expect<{ readonly mfaToken: string }>(200, 'POST', '/auth/login', {
    email,
    password,
  });
  const { mfaToken } = first;
  const used = await laptop.send('POST', '/auth/mfa', { mfaToken, code: firstCode });
  say('POST /auth/mfa with the code from before', `${used.status} ${used.json.code}: ${used.json.detail}`);
  if (used.status !== 401) throw new StoryError('A code worked twice.');
  const code = totpCode(app.secret, 1);
  const { session } = await laptop.expect<SessionJson>(200, 'POST', '/auth/mfa', { mfaToken, code });
  say(`POST /auth/mfa with the next one: session ${session.id}`);
}

/** A session that is ended ends at once. */
export async function revokedSession({ scene, say, owner }: Stage, { email, laptop }: Bea): Promise<void> {
  scene("Bea's laptop is lost. Ada logs her out everywhere");
  await laptop.expect(200, 'GET', '/namespaces');
  say('GET /namespaces from the laptop: 200');
  const { json: members } = await owner.expect<{
    readonly items: readonly { readonly userId: string; readonly email: string }[];
  }>(200, 'GET', '/workspace/members?limit=100');
  const bea = members.items.find((member) => member.email === email);
  if (bea === undefined) throw new StoryError('Bea is no member.');
  await owner.expect(204, 'DELETE', `/workspace/members/${bea.userId}/sessions`);
  const after = await openRequest(laptop);
  say(`DELETE /workspace/members/${bea.userId}/sessions`, `GET /namespaces from the laptop: ${after}`);
  if (after !== 401) throw new StoryError(`The next request of an ended session was answered with ${after}.`);
  await owner.expect(204, 'DELETE', `/workspace/members/${bea.userId}`);
  say(`DELETE /workspace/members/${bea.userId}: out of the workspace, until she is invited again`);
}

async function openRequest(browser: Browser): Promise<number> {
  return (await browser.send('GET', '/namespaces')).status;
}

/** The link in the newest mail to somebody, as it lies in the outbox. */
async function linkTo(outbox: string, email: string): Promise<string> {
  const names = (await readdir(outbox)).filter((name) => name.endsWith('.eml')).sort();
  for (const name of names.reverse()) {
    const text = await readFile(join(outbox, name), 'utf8');
    const link = /^https?:\/\/\S+token=\S+$/m.exec(text)?.[0];
    if (text.includes(`To: ${email}`) && link !== undefined) return link;
  }
  throw new StoryError(`There is no mail to ${email} in ${outbox}.`);
}
