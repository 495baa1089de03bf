import { mfaKind } from '../../../core/identity/mfa.ts';
import type { User } from '../../../core/identity/user.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import { ADA, type Enrolled, enrolMfa, MINUTE, peopleWorld, SECOND, totpCode } from './world.ts';

let vault: MemoryVault;
let ada: User;
let browser: Browser;
beforeEach(async () => {
  ({ vault, ada } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
});

/** The first step of a login in a fresh browser, and what it takes to make the second. */
async function halfLoggedIn(): Promise<{ readonly fresh: Browser; readonly mfaToken: unknown }> {
  const fresh = new Browser(vault);
  const { body } = await fresh.logIn(ADA);
  return { fresh, mfaToken: body['mfaToken'] };
}

async function second(factor: { readonly code: string } | { readonly backupCode: string }) {
  const { fresh, mfaToken } = await halfLoggedIn();
  const answer = await fresh.post('/auth/mfa', { mfaToken, ...factor });
  return { ...answer, fresh, mfaToken };
}

describe('I3: TOTP for every user', () => {
  it('the enrolment shows the secret, its otpauth URI and a QR code, and counts for nothing until confirmed', async () => {
    await browser.stepUp();
    const { status, body } = await browser.post('/auth/mfa/totp');
    expect(status).toBe(201);
    expect(body['secret']).toMatch(/^[A-Z2-7]{32}$/);
    expect(body['uri']).toContain(`secret=${body['secret']}`);
    expect(String(body['uri'])).toMatch(/^otpauth:\/\/totp\/Lockzero:ada%40example\.com\?/);
    expect(body['qrCode']).toMatch(/^<svg /);
    expect((await new Browser(vault).logIn(ADA)).body['mfaRequired']).toBeUndefined();
  });

  it('starting again replaces what was not confirmed', async () => {
    await browser.stepUp();
    const first = String((await browser.post('/auth/mfa/totp')).body['secret']);
    const next = String((await browser.post('/auth/mfa/totp')).body['secret']);
    const confirm = (secret: string) =>
      browser.post('/auth/mfa/totp/confirm', { code: totpCode(vault, secret) });
    expect(problemCode(await confirm(first))).toBe('code_refused');
    expect((await confirm(next)).status).toBe(200);
  });

  it('setting it up takes a step-up, and so does switching it off', async () => {
    expect(problemCode(await browser.post('/auth/mfa/totp'))).toBe('step_up_required');
    await enrolMfa(vault, browser);
    vault.clock.advance(5 * MINUTE);
    await browser.post('/auth/refresh');
    expect(problemCode(await browser.send('DELETE', '/auth/mfa/totp'))).toBe('step_up_required');
    expect(problemCode(await browser.post('/auth/mfa/backup-codes'))).toBe('step_up_required');
  });

  it('switching it on ends every other session: they have shown no second factor', async () => {
    const other = await loggedIn(vault, ADA);
    await enrolMfa(vault, browser);
    expect(problemCode(await other.get('/auth/session'))).toBe('unauthenticated');
    expect((await browser.get('/auth/session')).status).toBe(200);
  });

  it('a login then needs both, and opens nothing before', async () => {
    const { secret } = await enrolMfa(vault, browser);
    vault.clock.advance(MINUTE);
    const { status, body, cookies } = await new Browser(vault).logIn(ADA);
    expect([status, cookies]).toEqual([200, undefined]);
    expect(Object.keys(body).toSorted()).toEqual(['mfaRequired', 'mfaToken', 'notice']);
    const { body: opened } = await second({ code: totpCode(vault, secret) });
    expect(opened['session']).toMatchObject({ mfa: true });
  });
});

describe('I3: a TOTP code works once, within its step and one of drift', () => {
  let enrolled: Enrolled;
  beforeEach(async () => {
    enrolled = await enrolMfa(vault, browser);
    vault.clock.advance(2 * MINUTE);
  });

  it.each([
    [-2, 401],
    [-1, 200],
    [0, 200],
    [1, 200],
    [2, 401],
  ])('a code of %i steps away is answered with %i', async (steps, status) => {
    expect((await second({ code: totpCode(vault, enrolled.secret, steps) })).status).toBe(status);
  });

  it('not twice, nor an earlier one after it', async () => {
    const code = totpCode(vault, enrolled.secret);
    const earlier = totpCode(vault, enrolled.secret, -1);
    expect((await second({ code })).status).toBe(200);
    for (const used of [code, earlier])
      expect(problemCode(await second({ code: used }))).toBe('code_refused');
    expect((await second({ code: totpCode(vault, enrolled.secret, 1) })).status).toBe(200);
  });

  it('the one that confirmed the enrolment is used up', async () => {
    const { fresh } = await second({ code: totpCode(vault, enrolled.secret) });
    vault.clock.advance(30 * SECOND);
    await fresh.stepUp();
    await fresh.send('DELETE', '/auth/mfa/totp');
    const again = await enrolMfa(vault, fresh);
    expect(problemCode(await second({ code: totpCode(vault, again.secret) }))).toBe('code_refused');
  });

  it('one that proved identity in a session opens no other, and the reverse', async () => {
    const { fresh } = await second({ code: totpCode(vault, enrolled.secret) });
    const used = totpCode(vault, enrolled.secret);
    expect(problemCode(await fresh.post('/auth/step-up', { code: used }))).toBe('code_refused');
    vault.clock.advance(30 * SECOND);
    const code = totpCode(vault, enrolled.secret);
    expect((await fresh.post('/auth/step-up', { code })).status).toBe(200);
    expect(problemCode(await second({ code }))).toBe('code_refused');
  });

  it('the token of the first step works once, and for less than five minutes', async () => {
    const first = await second({ code: totpCode(vault, enrolled.secret) });
    vault.clock.advance(MINUTE);
    const again = { mfaToken: first.mfaToken, code: totpCode(vault, enrolled.secret) };
    expect(problemCode(await new Browser(vault).post('/auth/mfa', again))).toBe('code_refused');
    const { fresh, mfaToken } = await halfLoggedIn();
    vault.clock.advance(5 * MINUTE);
    const late = { mfaToken, code: totpCode(vault, enrolled.secret) };
    expect(problemCode(await fresh.post('/auth/mfa', late))).toBe('code_refused');
  });
});

describe('I3: 10 backup codes, each usable once', () => {
  let enrolled: Enrolled;
  beforeEach(async () => {
    enrolled = await enrolMfa(vault, browser);
    vault.clock.advance(2 * MINUTE);
  });

  it('they are stored as Argon2id hashes', async () => {
    const mfa = await vault.store.get(mfaKind, PLATFORM_WORKSPACE, ada.id);
    expect(new Set(enrolled.backupCodes).size).toBe(10);
    expect(mfa?.backupCodes).toHaveLength(10);
    for (const { hash } of mfa?.backupCodes ?? []) expect(hash).toMatch(/^\$argon2id\$v=19\$/);
  });

  it('each opens a session, once', async () => {
    for (const backupCode of enrolled.backupCodes) {
      expect((await second({ backupCode })).status).toBe(200);
      expect(problemCode(await second({ backupCode }))).toBe('code_refused');
      vault.clock.advance(MINUTE);
    }
  });

  it('one used in a step-up is used up, too', async () => {
    const backupCode = enrolled.backupCodes[3] ?? '';
    expect((await browser.post('/auth/refresh')).status).toBe(200);
    expect((await browser.post('/auth/step-up', { backupCode })).status).toBe(200);
    expect(problemCode(await second({ backupCode }))).toBe('code_refused');
  });

  it('new ones kill the old ones', async () => {
    await browser.stepUp();
    const { body } = await browser.post('/auth/mfa/backup-codes');
    expect(problemCode(await second({ backupCode: enrolled.backupCodes[0] ?? '' }))).toBe('code_refused');
    const [fresh = ''] = body['backupCodes'] as string[];
    expect((await second({ backupCode: fresh })).status).toBe(200);
  });
});
