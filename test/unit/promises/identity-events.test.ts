import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { remove } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { membershipKind } from '../../../core/members/membership.ts';
import { callApi } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  type Enrolled,
  enrolMfa,
  logInFrom,
  MINUTE,
  membershipOf,
  OTHER_PASSWORD,
  peopleWorld,
  SECOND,
  setPolicy,
  totpCode,
} from './world.ts';

const IP = '198.51.100.5';

let vault: MemoryVault;
let workspaceId: string;
let adaId: string;
let browser: Browser;
let seen: Set<string>;
beforeEach(async () => {
  const world = await peopleWorld();
  ({ vault, workspaceId } = world);
  adaId = world.ada.id;
  browser = new Browser(vault, IP);
  seen = new Set(allRows().map(({ nonce }) => nonce));
});

function allRows(): AuditRow[] {
  return [workspaceId, PLATFORM_WORKSPACE].flatMap((ws) => [0, 1].flatMap((lane) => rowsOf(vault, ws, lane)));
}

/** What was recorded since the last time, in both workspaces. */
function fresh(): AuditRow[] {
  const rows = allRows().filter(({ nonce }) => !seen.has(nonce));
  for (const { nonce } of rows) seen.add(nonce);
  return rows;
}

/** Each as `<workspace or platform>: <action> <result> <reason or code>`. */
function told(rows: readonly AuditRow[] = fresh()): string[] {
  return rows
    .filter(({ action }) => action !== 'lane.opened')
    .map(({ ws, action, result, detail }) => {
      const why = detail['reason'] ?? detail['code'];
      const what = `${action} ${result}${why === undefined ? '' : ` ${why}`}`;
      return ws === workspaceId ? what : `platform: ${what}`;
    });
}

async function start(): Promise<void> {
  await browser.logIn(ADA);
  fresh();
}

async function withMfa(): Promise<Enrolled> {
  await start();
  const enrolled = await enrolMfa(vault, browser);
  vault.clock.advance(MINUTE);
  fresh();
  return enrolled;
}

describe('A4: each login is logged, success, failure and MFA', () => {
  it('success, with who, from where, with what and when', async () => {
    await browser.logIn(ADA);
    const rows = fresh();
    expect(told(rows)).toEqual(['authentication.succeeded success']);
    expect(rows).toMatchObject([
      {
        actor: { type: 'user', id: adaId },
        entity: { type: 'session' },
        ip: IP,
        ua: 'test',
        ts: new Date(vault.clock.now()).toISOString(),
        detail: { method: 'password', client: 'browser' },
      },
    ]);
  });

  it('failure: in the workspace of a known person, else in the platform', async () => {
    await browser.logIn(ADA, OTHER_PASSWORD);
    expect(told()).toEqual(['authentication.failed denied wrong_password']);
    await browser.logIn('nobody@example.com', OTHER_PASSWORD);
    expect(told()).toEqual(['platform: authentication.failed denied unknown_account']);
  });

  it('a lock', async () => {
    for (let guess = 0; guess < 10; guess += 1) await logInFrom(vault, IP, ADA, OTHER_PASSWORD);
    fresh();
    await browser.logIn(ADA);
    expect(told()).toEqual(['authentication.failed denied login_locked']);
  });

  it('both steps with MFA', async () => {
    const { secret } = await withMfa();
    const { body } = await browser.logIn(ADA);
    const { mfaToken } = body;
    expect(told()).toEqual(['authentication.mfa_required success']);
    await browser.post('/auth/mfa', { mfaToken, code: totpCode(vault, secret, 7) });
    expect(told()).toEqual(['authentication.mfa_attempted success', 'authentication.failed denied mfa_code']);
    await browser.post('/auth/mfa', { mfaToken, code: totpCode(vault, secret) });
    expect(told().toSorted()).toEqual([
      'authentication.mfa_attempted success',
      'authentication.succeeded success',
      'platform: user.totp_used success',
      'session.ended success',
    ]);
  });

  it('a backup code, with how many are left', async () => {
    const { backupCodes } = await withMfa();
    const { body } = await browser.logIn(ADA);
    fresh();
    await browser.post('/auth/mfa', { mfaToken: body['mfaToken'], backupCode: backupCodes[0] });
    const used = fresh().find(({ action }) => action === 'user.backup_code_used');
    expect(used).toMatchObject({ actor: { id: adaId }, result: 'success', detail: { left: '9' } });
  });

  it('an address that asks too often', async () => {
    for (let guess = 0; guess <= 30; guess += 1) {
      await logInFrom(vault, IP, `p${guess}@example.com`, OTHER_PASSWORD);
    }
    expect(told()).toContain('platform: authentication.failed denied rate_limited');
  });

  it('a lock that holds during the second step', async () => {
    const { secret } = await withMfa();
    browser.cookies.clear();
    const { body } = await browser.logIn(ADA);
    for (let guess = 0; guess < 10; guess += 1) await logInFrom(vault, IP, ADA, OTHER_PASSWORD);
    fresh();
    await browser.post('/auth/mfa', { mfaToken: body['mfaToken'], code: totpCode(vault, secret) });
    expect(told()).toEqual(['authentication.failed denied login_locked']);
  });
});

/** Requests of a person who is logged in and stepped up, and what each leaves in the workspace's trail. */
const REQUESTS: readonly (readonly [string, string, object | undefined, readonly string[]])[] = [
  ['GET', '/auth/session', undefined, ['session.read success']],
  ['GET', '/auth/sessions', undefined, ['session.listed success']],
  ['POST', '/auth/refresh', undefined, ['session.refreshed success']],
  ['POST', '/auth/logout', undefined, ['session.ended success']],
  ['POST', '/auth/sessions/revoke-all', undefined, ['session.all_revoked success']],
  ['DELETE', `/auth/sessions/ses_${'0'.repeat(32)}`, undefined, ['session.ended failure not_found']],
  ['POST', '/auth/step-up', { password: PASSWORD }, ['authentication.stepped_up success']],
  ['POST', '/auth/step-up', { password: 'x' }, ['authentication.stepped_up failure login_refused']],
  ['POST', '/auth/step-up', { code: 1 }, ['authentication.stepped_up failure invalid_request']],
  [
    'POST',
    '/auth/password',
    { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD },
    ['user.password_changed success'],
  ],
  [
    'POST',
    '/auth/password',
    { currentPassword: 'x', newPassword: OTHER_PASSWORD },
    ['user.password_changed failure login_refused'],
  ],
  [
    'POST',
    '/auth/password',
    { currentPassword: PASSWORD, newPassword: 'x' },
    ['user.password_changed failure invalid_request'],
  ],
  ['POST', '/auth/mfa/totp', undefined, ['user.mfa_enrollment_started success']],
  ['POST', '/auth/mfa/totp/confirm', { code: '000000' }, ['user.mfa_enabled failure mfa_not_on']],
  ['DELETE', '/auth/mfa/totp', undefined, ['user.mfa_disabled failure mfa_not_on']],
  ['POST', '/auth/mfa/backup-codes', undefined, ['user.backup_codes_replaced failure mfa_not_on']],
  [
    'POST',
    '/auth/switch-workspace',
    { workspaceId: `ws_${'0'.repeat(32)}` },
    ['session.switched failure not_found'],
  ],
];

describe('A4: what people do about their account and sessions is logged with its result', () => {
  it.each(REQUESTS)('%s %s %j', async (method, path, json, expected) => {
    await start();
    await browser.stepUp();
    fresh();
    await browser.send(method, path, json);
    const rows = fresh();
    expect(told(rows).filter((line) => !line.startsWith('platform:'))).toEqual(expected);
    for (const row of rows) {
      expect(row).toMatchObject({ actor: { type: 'user', id: adaId }, ip: IP, ua: 'test' });
    }
  });

  it('without step-up: denied', async () => {
    await start();
    await browser.post('/auth/mfa/totp');
    expect(told()).toEqual(['user.mfa_enrollment_started denied step_up_required']);
  });

  it('with MFA: switched on, replaced, switched off', async () => {
    await start();
    await enrolMfa(vault, browser);
    expect(told()).toContain('user.mfa_enabled success');
    await browser.post('/auth/mfa/backup-codes');
    expect(told()).toContain('user.backup_codes_replaced success');
    await setPolicy(vault, workspaceId, { requireMfa: true });
    fresh();
    await browser.send('DELETE', '/auth/mfa/totp');
    expect(told()).toEqual(['user.mfa_disabled failure mfa_required']);
  });

  it('a debt that is not settled: denied', async () => {
    await start();
    await setPolicy(vault, workspaceId, { requireMfa: true });
    fresh();
    await browser.get('/secrets');
    expect(told()).toEqual(['secret.listed denied mfa_enrollment_required']);
  });

  it('a request of an ended session, a reused token, a missing CSRF token: denied', async () => {
    await start();
    const old = browser.cookieHeader();
    await browser.post('/auth/refresh');
    vault.clock.advance(11 * SECOND);
    fresh();
    await browser.post('/auth/logout', undefined, { headers: { 'X-CSRF-Token': '' } });
    expect(told()).toEqual(['authentication.failed denied csrf']);
    await browser.post('/auth/refresh', undefined, { headers: { Cookie: old } });
    expect(told()).toEqual([
      'session.reuse_detected success',
      'authentication.failed denied refresh_token_reused',
      'platform: session.reuse_detected success',
    ]);
    await browser.get('/secrets');
    expect(told()).toEqual(['authentication.failed denied session_ended']);
  });

  it('a reset: asked for, refused and done', async () => {
    await browser.post('/auth/password/forgot', { email: ADA });
    expect(told().toSorted()).toEqual([
      'platform: user.password_reset_requested success',
      'user.password_reset_requested success',
    ]);
    await browser.post('/auth/password/forgot', { email: 'nobody@example.com' });
    expect(told()).toEqual(['platform: authentication.failed denied reset_of_unknown_account']);
    await browser.post('/auth/password/reset', { token: 'lzp_', newPassword: OTHER_PASSWORD });
    expect(told()).toEqual(['platform: authentication.failed denied reset_link']);
    const token = vault.mail.tokenFor(ADA);
    await browser.post('/auth/password/reset', { token, newPassword: 'short' });
    expect(told().join()).toMatch(/user\.password_reset failure/);
    await browser.post('/auth/password/reset', { token, newPassword: OTHER_PASSWORD });
    expect(told().toSorted()).toEqual([
      'platform: user.password_reset success',
      'user.password_reset success',
    ]);
  });
});

it('A4: a person who belongs to no workspace any more and knows the password leaves a row', async () => {
  const membership = await membershipOf(vault, workspaceId, adaId);
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'member.removed',
      entity: { type: 'user', id: adaId },
      result: 'success',
      changes: [remove(membershipKind, membership)],
    },
  ]);
  fresh();
  expect((await browser.logIn(ADA)).status).toBe(403);
  expect(told().join()).toContain('authentication.failed denied');
});

it('A4: in each row of a story the client is the one that the edge saw, whatever headers say', async () => {
  const headers = { 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1', 'X-Real-IP': '192.0.2.1' };
  await callApi(vault, {
    method: 'POST',
    path: '/auth/login',
    json: { email: ADA, password: PASSWORD },
    headers,
    ip: IP,
  });
  expect(JSON.stringify(allRows())).not.toContain('192.0.2.1');
});

it('A4: repeats of one source in a minute are one row, so that strangers cannot fill a trail', async () => {
  await addPerson(vault, workspaceId, { email: 'bob@example.com', role: 'viewer' });
  await loggedIn(vault, 'bob@example.com');
  fresh();
  for (let guess = 0; guess < 9; guess += 1) await logInFrom(vault, IP, ADA, OTHER_PASSWORD);
  expect(told()).toHaveLength(1);
});
