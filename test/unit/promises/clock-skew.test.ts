import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  copyOf,
  countingVerifications,
  DAY,
  enrolMfa,
  interleave,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  skewed,
  tally,
  totpCode,
} from './world.ts';

let vault: MemoryVault;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
});

/** Two function instances whose clocks are five minutes off, one each way. */
describe.each([
  ['ahead', 5 * MINUTE],
  ['behind', -5 * MINUTE],
])('a clock that is five minutes %s', (_, offset) => {
  let other: Vault;
  beforeEach(() => {
    other = skewed(vault, offset);
  });

  it('I2: lets no more than ten guesses be looked at, wherever they are made', async () => {
    const { counter, hasher } = countingVerifications(vault.hasher);
    interleave(vault);
    const instances = [
      { ...vault, hasher },
      { ...other, hasher },
    ];
    await Promise.all(
      Array.from({ length: 36 }, (_, index) =>
        logInFrom(instances[index % 2] ?? vault, addressOf(index), ADA, OTHER_PASSWORD),
      ),
    );
    expect(counter.verifications).toBe(10);
    vault.clock.advance(20 * MINUTE);
    for (const instance of instances) {
      expect(problemCode(await new Browser(instance).logIn(ADA))).toBe('login_locked');
    }
  });

  it('I3: takes no code twice', async () => {
    const { secret } = await enrolMfa(vault, await loggedIn(vault, ADA));
    vault.clock.advance(MINUTE);
    const here = totpCode(vault, secret);
    const answers = [];
    for (const instance of [vault, other, vault]) {
      const browser = new Browser(instance);
      const { body } = await browser.logIn(ADA);
      answers.push(await browser.post('/auth/mfa', { mfaToken: body['mfaToken'], code: here }));
    }
    expect(tally(answers)).toEqual({ 200: 1, 401: 2 });
  });

  it('I4: serves no session that was ended elsewhere', async () => {
    const browser = await loggedIn(vault, ADA);
    const elsewhere = copyOf(browser, other);
    await browser.post('/auth/logout');
    expect((await elsewhere.get('/secrets')).status).toBe(401);
    expect((await elsewhere.post('/auth/refresh')).status).toBe(401);
  });

  it('I4: serves a session that was opened elsewhere, after a refresh at most', async () => {
    const elsewhere = copyOf(await loggedIn(vault, ADA), other);
    expect((await elsewhere.post('/auth/refresh')).status).toBe(200);
    expect((await elsewhere.get('/secrets')).status).toBe(200);
  });

  it('I4: prolongs no session by more than its own error', async () => {
    const elsewhere = copyOf(await loggedIn(vault, ADA), other);
    vault.clock.advance(30 * MINUTE + 5 * MINUTE);
    expect((await elsewhere.post('/auth/refresh')).status).toBe(401);
    const again = await new Browser(vault).logIn(ADA);
    expect(again.status).toBe(200);
    vault.clock.advance(30 * DAY + 5 * MINUTE);
    expect((await elsewhere.post('/auth/refresh')).status).toBe(401);
  });

  it('I5: grants a step-up for no longer than five minutes and its own error', async () => {
    const browser = await loggedIn(other, ADA, { steppedUp: true });
    vault.clock.advance(10 * MINUTE + 1);
    const here = copyOf(browser, vault);
    await here.post('/auth/refresh');
    expect(problemCode(await here.post('/auth/mfa/totp'))).toBe('step_up_required');
  });

  it('a link to set a new password works no longer than ten minutes and its own error', async () => {
    await new Browser(vault).post('/auth/password/forgot', { email: ADA });
    const token = vault.mail.tokenFor(ADA);
    vault.clock.advance(15 * MINUTE);
    const answer = await new Browser(other).post('/auth/password/reset', {
      token,
      newPassword: OTHER_PASSWORD,
    });
    expect(problemCode(answer)).toBe('link_refused');
  });
});
