import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  copyOf,
  countingVerifications,
  enrolMfa,
  interleave,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  rowsNamed,
  SECOND,
  tally,
  totpCode,
} from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let browser: Browser;
let secretId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
  const { body } = await browser.post('/secrets', { namespace: 'prod', name: 'a', value: 'hush' });
  secretId = String(body['id']);
});

/** What needs a proof of identity within the last five minutes. */
const SENSITIVE: readonly (readonly [string, string, object | undefined])[] = [
  ['POST', '/secrets/{id}/reveal', undefined],
  ['POST', '/secrets/reveal', { namespace: 'prod' }],
  ['GET', '/secrets/export', undefined],
  ['GET', '/audit/export', undefined],
  ['POST', '/api-keys', { name: 'ci', role: 'viewer', namespaces: ['*'] }],
  ['POST', '/auth/mfa/totp', undefined],
];
const pathOf = (path: string) => path.replace('{id}', secretId);

describe('I5: re-authentication to reveal a secret and for sensitive changes', () => {
  it.each(SENSITIVE)('%s %s', async (method, path, json) => {
    const before = await browser.send(method, pathOf(path), json);
    expect([before.status, problemCode(before)]).toEqual([403, 'step_up_required']);
    expect((await browser.stepUp()).status).toBe(200);
    expect((await browser.send(method, pathOf(path), json)).status).toBeLessThan(300);
  });

  it('what is not sensitive needs none', async () => {
    for (const path of ['/secrets', `/secrets/${secretId}`, '/namespaces', '/auth/sessions', '/audit']) {
      expect((await browser.get(path)).status).toBe(200);
    }
  });

  it('a refused reveal is recorded as denied, and unwraps no key', async () => {
    const calls = vault.keys.calls.length;
    await browser.post(`/secrets/${secretId}/reveal`);
    expect(vault.keys.calls).toHaveLength(calls);
    expect(rowsNamed(vault, workspaceId, 'secret.revealed')).toMatchObject([{ result: 'denied' }]);
  });
});

describe('I5: the proof is good for five minutes', () => {
  const reveal = () => browser.post(`/secrets/${secretId}/reveal`);

  it('until 4:59.999', async () => {
    await browser.stepUp();
    vault.clock.advance(5 * MINUTE - 1);
    await browser.post('/auth/refresh');
    expect((await reveal()).status).toBe(200);
    vault.clock.advance(1);
    expect(problemCode(await reveal())).toBe('step_up_required');
  });

  it('neither use nor refreshing prolongs it, and the session says when it ends', async () => {
    const { body } = await browser.stepUp();
    const end = new Date(vault.clock.now() + 5 * MINUTE).toISOString();
    expect(body['session']).toMatchObject({ stepUpExpiresAt: end });
    for (let minute = 0; minute < 4; minute += 1) {
      vault.clock.advance(MINUTE);
      await browser.post('/auth/refresh');
      expect((await reveal()).status).toBe(200);
    }
    expect((await browser.get('/auth/session')).body['session']).toMatchObject({ stepUpExpiresAt: end });
    vault.clock.advance(MINUTE);
    await browser.post('/auth/refresh');
    expect(problemCode(await reveal())).toBe('step_up_required');
  });

  it('in the session where it was given, and in no other', async () => {
    const other = await loggedIn(vault, ADA);
    await browser.stepUp();
    expect(problemCode(await other.post(`/secrets/${secretId}/reveal`))).toBe('step_up_required');
  });

  it('a login is none: a new session has to prove it', async () => {
    await browser.stepUp();
    await browser.logIn(ADA);
    expect(problemCode(await reveal())).toBe('step_up_required');
  });

  it('tokens from before do not rise with it', async () => {
    const earlier = copyOf(browser, vault);
    await browser.stepUp();
    expect(problemCode(await earlier.post(`/secrets/${secretId}/reveal`))).toBe('unauthenticated');
  });
});

describe('I5: by password, TOTP code or backup code', () => {
  it('each of them, once set up', async () => {
    const { secret, backupCodes } = await enrolMfa(vault, browser);
    vault.clock.advance(MINUTE);
    for (const proof of [{ code: totpCode(vault, secret) }, { backupCode: backupCodes[0] }]) {
      expect((await browser.post('/auth/step-up', proof)).status).toBe(200);
    }
  });

  it('without MFA no code proves anything', async () => {
    expect(problemCode(await browser.post('/auth/step-up', { code: '123456' }))).toBe('code_refused');
    const backupCode = '0-00000-00000';
    expect(problemCode(await browser.post('/auth/step-up', { backupCode }))).toBe('code_refused');
  });

  it.each([{}, { password: 'a', code: '123456' }, { code: '123456', backupCode: 'a' }, { password: '' }])(
    '%j is no proof',
    async (proof) => {
      expect((await browser.post('/auth/step-up', proof)).status).toBe(400);
    },
  );
});

describe('I5: wrong proofs are counted', () => {
  it('ten lock step-up for 30 minutes in this session, and nothing else', async () => {
    for (let guess = 0; guess < 10; guess += 1) {
      expect(problemCode(await browser.stepUp(OTHER_PASSWORD))).toBe('login_refused');
    }
    const locked = await browser.stepUp();
    expect([locked.status, problemCode(locked)]).toEqual([429, 'login_locked']);
    expect(locked.headers?.['Retry-After']).toBe('1800');
    const other = await loggedIn(vault, ADA);
    expect((await other.stepUp()).status).toBe(200);
  });

  it('going to another workspace and back opens no way around the lock', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    for (let guess = 0; guess < 10; guess += 1) await browser.stepUp(OTHER_PASSWORD);
    vault.clock.advance(MINUTE);
    await browser.post('/auth/switch-workspace', { workspaceId: other });
    expect(problemCode(await browser.stepUp(OTHER_PASSWORD))).toBe('login_locked');
  });

  it('of 50 at once no more than ten are looked at', async () => {
    interleave(vault);
    const { counter, hasher } = countingVerifications(vault.hasher);
    const twins = Array.from({ length: 50 }, (_, index) =>
      copyOf(browser, { ...vault, hasher }, `198.51.100.${index}`),
    );
    const answers = await Promise.all(twins.map((twin) => twin.stepUp(OTHER_PASSWORD)));
    expect(counter.verifications).toBe(10);
    expect(tally(answers)).toEqual({ 401: 10, 429: 40 });
  });

  it('whoever stole a session cannot keep its owner from step-up or a new password', async () => {
    const thief = copyOf(browser, vault, '198.51.100.66');
    for (let guess = 0; guess < 25; guess += 1) {
      await thief.stepUp(OTHER_PASSWORD);
      const json = { currentPassword: OTHER_PASSWORD, newPassword: OTHER_PASSWORD };
      await thief.post('/auth/password', json);
    }
    vault.clock.advance(10 * SECOND);
    const owner = await loggedIn(vault, ADA);
    expect((await owner.stepUp()).status).toBe(200);
    const json = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expect((await owner.post('/auth/password', json)).status).toBe(204);
  });
});
