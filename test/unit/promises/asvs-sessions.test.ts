import { callApi, problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import { ADA, copyOf, enrolMfa, MINUTE, peopleWorld, rowsNamed, totpCode } from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerToken: string;
let browser: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerToken } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
});

/** Both steps of a login. */
async function logInWith(one: Browser, secret: string): Promise<void> {
  vault.clock.advance(MINUTE);
  const { body } = await one.logIn(ADA);
  const answer = await one.post('/auth/mfa', { mfaToken: body['mfaToken'], code: totpCode(vault, secret) });
  expect(answer.status).toBe(200);
}

it('ASVS 7.2.2: an API key is no session, shown as a token or as a cookie', async () => {
  for (const path of ['/auth/session', '/auth/sessions']) {
    const asToken = await callApi(vault, { method: 'GET', path, token: ownerToken });
    expect(problemCode(asToken)).toBe('forbidden');
    const headers = { Cookie: `__Host-lockzero_access=${ownerToken}` };
    expect(problemCode(await callApi(vault, { method: 'GET', path, headers }))).toBe('unauthenticated');
  }
});

it('ASVS 7.2.2: each login and each refresh gives tokens that were never there before', async () => {
  const seen: string[] = [];
  const keep = () => {
    for (const name of ['__Host-lockzero_access', '__Host-lockzero_refresh'])
      seen.push(browser.cookies.get(name) ?? '');
  };
  keep();
  for (const path of ['/auth/refresh', '/auth/refresh']) {
    expect((await browser.post(path)).status).toBe(200);
    keep();
  }
  expect((await browser.logIn(ADA)).status).toBe(200);
  keep();
  expect(new Set(seen).size).toBe(8);
});

it('ASVS 7.2.4: a login with a second factor ends the session that was in the browser before', async () => {
  const { secret } = await enrolMfa(vault, browser);
  const earlier = copyOf(browser, vault);
  await logInWith(browser, secret);
  expect((await browser.get('/auth/session')).status).toBe(200);
  expect((await earlier.get('/auth/session')).status).toBe(401);
  expect((await earlier.post('/auth/refresh')).status).toBe(401);
});

it('ASVS 7.4.3: switching MFA off ends every other session', async () => {
  const { secret } = await enrolMfa(vault, browser);
  const other = new Browser(vault);
  await logInWith(other, secret);
  expect((await browser.send('DELETE', '/auth/mfa/totp')).status).toBe(204);
  expect((await other.get('/auth/session')).status).toBe(401);
  expect((await other.post('/auth/refresh')).status).toBe(401);
  expect((await browser.get('/auth/session')).body['session']).toMatchObject({ mfa: false });
});

it('ASVS 7.5.1: every change of the second factor is told by mail and stands in the trail', async () => {
  const told = () => vault.mail.sent.filter(({ to }) => to === ADA).map(({ text }) => text.split('.')[0]);
  await enrolMfa(vault, browser);
  await browser.post('/auth/mfa/backup-codes');
  await browser.send('DELETE', '/auth/mfa/totp');
  expect(told()).toEqual([
    'A second factor was set up for your Lockzero account just now',
    'The backup codes of your Lockzero account were replaced just now',
    'The second factor of your Lockzero account was switched off just now',
  ]);
  for (const action of ['user.mfa_enabled', 'user.backup_codes_replaced', 'user.mfa_disabled'])
    expect(rowsNamed(vault, workspaceId, action)).toMatchObject([{ result: 'success' }]);
});
