import { createHash } from 'node:crypto';
import type { User } from '../../../core/identity/user.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  readUser,
  reasonsOf,
  rowsNamed,
  setPolicy,
} from './world.ts';

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();

let vault: MemoryVault;
let workspaceId: string;
let ada: User;
beforeEach(async () => {
  ({ vault, workspaceId, ada } = await peopleWorld());
});

async function change(newPassword: string, currentPassword = PASSWORD) {
  vault.clock.advance(MINUTE);
  const browser = new Browser(vault);
  await browser.logIn(ADA, currentPassword);
  return browser.post('/auth/password', { currentPassword, newPassword });
}

describe('I1: Have I Been Pwned is asked on every set and change, and only 5 hex digits leave', () => {
  const prefix = sha1(OTHER_PASSWORD).slice(0, 5);

  it('at a change', async () => {
    vault.breached.asked.length = 0;
    expect((await change(OTHER_PASSWORD)).status).toBe(204);
    expect(vault.breached.asked).toEqual([prefix]);
  });

  it('at a reset', async () => {
    const browser = new Browser(vault);
    await browser.post('/auth/password/forgot', { email: ADA });
    vault.breached.asked.length = 0;
    const token = vault.mail.tokenFor(ADA);
    await browser.post('/auth/password/reset', { token, newPassword: OTHER_PASSWORD });
    expect(vault.breached.asked).toEqual([prefix]);
  });

  it('at the set-up of the first owner', async () => {
    const fresh = memoryVault();
    const json = {
      setupToken: SETUP_TOKEN,
      workspaceName: 'Acme',
      email: 'owner@example.com',
      password: OTHER_PASSWORD,
    };
    expect((await callApi(fresh, { method: 'POST', path: '/setup', json })).status).toBe(201);
    expect(fresh.breached.asked).toEqual([prefix]);
  });

  it('at no login', async () => {
    vault.breached.asked.length = 0;
    await loggedIn(vault, ADA);
    expect(vault.breached.asked).toEqual([]);
  });
});

it('I1: a password that is known from a breach is refused', async () => {
  vault.breached.breached.push(OTHER_PASSWORD);
  const answer = await change(OTHER_PASSWORD);
  expect(answer.status).toBe(400);
  expect(reasonsOf(answer)).toEqual(['must not be a password that is known from a data breach']);
});

it('I1: an entry of padding, counted 0, is no breach', async () => {
  vault.breached.range = async () => new Map([[sha1(OTHER_PASSWORD).slice(5), 0]]);
  expect((await change(OTHER_PASSWORD)).status).toBe(204);
});

describe('I1: the service is down', () => {
  beforeEach(() => {
    vault.breached.isDown = true;
  });

  it('where the workspace refuses, the password stays as it is, and so does the session', async () => {
    const browser = await loggedIn(vault, ADA);
    const answer = await browser.post('/auth/password', {
      currentPassword: PASSWORD,
      newPassword: OTHER_PASSWORD,
    });
    expect([answer.status, problemCode(answer)]).toEqual([503, 'breach_check_unavailable']);
    expect(answer.headers?.['Retry-After']).toMatch(/^\d+$/);
    expect((await browser.get('/auth/session')).status).toBe(200);
    expect(await readUser(vault, ada)).toEqual(ada);
  });

  it('the strictest of several workspaces holds', async () => {
    await setPolicy(vault, workspaceId, { breachUnavailable: 'accept' });
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    expect(problemCode(await change(OTHER_PASSWORD))).toBe('breach_check_unavailable');
  });

  describe('and the workspace accepts', () => {
    beforeEach(async () => {
      await setPolicy(vault, workspaceId, { breachUnavailable: 'accept' });
      expect((await change(OTHER_PASSWORD)).status).toBe(204);
      vault.clock.advance(MINUTE);
    });

    it('an event tells of it, in the workspace and in the platform', () => {
      for (const place of [workspaceId, PLATFORM_WORKSPACE]) {
        expect(rowsNamed(vault, place, 'user.breach_check_skipped')).toMatchObject([
          { actor: { type: 'user', id: ada.id }, entity: { type: 'user', id: ada.id }, result: 'success' },
        ]);
      }
    });

    it('the next login asks again, and a breached password has to be changed first of all', async () => {
      vault.breached.isDown = false;
      vault.breached.breached.push(OTHER_PASSWORD);
      const browser = new Browser(vault);
      expect((await browser.logIn(ADA, OTHER_PASSWORD)).body['owes']).toBe('password_change');
      expect(problemCode(await browser.get('/secrets'))).toBe('password_change_required');
      const next = 'Third-Horse-9-Paperclip';
      const answer = await browser.post('/auth/password', {
        currentPassword: OTHER_PASSWORD,
        newPassword: next,
      });
      expect(answer.status).toBe(204);
      expect((await browser.logIn(ADA, next)).body['owes']).toBeUndefined();
    });

    it('as long as it is down, the login after that asks again', async () => {
      const browser = new Browser(vault);
      expect((await browser.logIn(ADA, OTHER_PASSWORD)).body['owes']).toBeUndefined();
      vault.breached.isDown = false;
      vault.breached.breached.push(OTHER_PASSWORD);
      expect((await browser.logIn(ADA, OTHER_PASSWORD)).body['owes']).toBe('password_change');
    });

    it('a password that turns out good is not asked about any more', async () => {
      vault.breached.isDown = false;
      vault.breached.asked.length = 0;
      const browser = new Browser(vault);
      expect((await browser.logIn(ADA, OTHER_PASSWORD)).body['owes']).toBeUndefined();
      expect((await browser.logIn(ADA, OTHER_PASSWORD)).body['owes']).toBeUndefined();
      expect(vault.breached.asked).toEqual([sha1(OTHER_PASSWORD).slice(0, 5)]);
      expect((await browser.get('/secrets')).status).toBe(200);
    });
  });
});
