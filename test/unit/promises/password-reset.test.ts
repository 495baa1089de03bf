import { type ApiCall, callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  enrolMfa,
  interleave,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  reasonsOf,
  tally,
  totpCode,
} from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
});

function forgot(email: string, more: Partial<ApiCall> = {}) {
  return callApi(vault, { method: 'POST', path: '/auth/password/forgot', json: { email }, ...more });
}

async function linkToken(): Promise<string> {
  vault.clock.advance(MINUTE);
  await forgot(ADA);
  return vault.mail.tokenFor(ADA);
}

function reset(
  token: string,
  newPassword = OTHER_PASSWORD,
  instance: MemoryVault = vault,
  ip = '203.0.113.7',
) {
  return new Browser(instance, ip).post('/auth/password/reset', { token, newPassword });
}

describe('password reset: whether there is an account shows nowhere', () => {
  it('not in the answer, nor in the time that it takes', async () => {
    const observed = [];
    for (const email of [ADA, 'nobody@example.com']) {
      const before = vault.clock.now();
      const answer = await forgot(email);
      observed.push({ answer, took: vault.clock.now() - before, waits: vault.clock.sleeps.splice(0) });
    }
    expect(observed[0]).toEqual(observed[1]);
    expect(observed[0]).toMatchObject({ answer: { status: 202, json: {} }, took: 1_500, waits: [1_500] });
    expect(vault.mail.sent.map(({ to }) => to)).toEqual([ADA]);
  });

  it('not when the mail service is down', async () => {
    vault.mail.isDown = true;
    expect(await forgot(ADA)).toEqual(await forgot('nobody@example.com'));
  });

  it('not when the limit of an account is reached', async () => {
    const last = [];
    for (const email of [ADA, 'nobody@example.com']) {
      vault.clock.advance(2 * MINUTE - (vault.clock.now() % MINUTE));
      for (let count = 0; count < 3; count += 1) await forgot(email, { ip: addressOf(count) });
      last.push(await forgot(email, { ip: addressOf(9) }));
    }
    expect(last[0]?.status).toBe(429);
    expect(last[0]).toEqual(last[1]);
  });

  it('not in the trail of a workspace more than in the strangers’ lane', async () => {
    const lanes = () => [0, 1].map((lane) => vault.tables.lane({ workspaceId, lane }).length);
    const before = lanes();
    await forgot(ADA);
    // What anybody can cause must not crowd out what principals do.
    expect(lanes()[0]).toBe(before[0]);
  });
});

describe('password reset: the link', () => {
  it('uses the configured address, and opening it consumes nothing', async () => {
    const token = await linkToken();
    const [mail] = vault.mail.sent.slice(-1);
    expect(mail?.text).toContain(`${vault.publicUrl}/reset-password?token=${token}`);
    const headers = { Host: 'evil.example.com', 'X-Forwarded-Host': 'evil.example.com' };
    await forgot(ADA, { headers });
    expect(JSON.stringify(vault.mail.sent)).not.toContain('evil.example.com');
    await callApi(vault, { method: 'GET', path: '/reset-password', query: { token } });
    expect((await reset(token)).status).toBe(204);
  });

  it('works once', async () => {
    const token = await linkToken();
    expect((await reset(token)).status).toBe(204);
    const again = await reset(token, 'Third-Horse-9-Paperclip');
    expect([again.status, problemCode(again)]).toEqual([401, 'link_refused']);
    expect((await new Browser(vault).logIn(ADA, OTHER_PASSWORD)).status).toBe(200);
  });

  it('of 10 uses at once by two function instances exactly one wins', async () => {
    const token = await linkToken();
    vault.clock.advance(MINUTE);
    interleave(vault);
    const instances = [vault, memoryVault(vault)];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        reset(token, `${index}-${OTHER_PASSWORD}`, instances[index % 2], addressOf(index)),
      ),
    );
    expect(tally(answers)).toEqual({ 204: 1, 401: 9 });
  });

  it('works for ten minutes', async () => {
    const late = await linkToken();
    vault.clock.advance(10 * MINUTE);
    expect(problemCode(await reset(late))).toBe('link_refused');
    const fresh = await linkToken();
    vault.clock.advance(10 * MINUTE - 1);
    expect((await reset(fresh)).status).toBe(204);
  });

  it('dies with any change of the password: by another link, and in a session', async () => {
    const browser = await loggedIn(vault, ADA, { steppedUp: true });
    const [first, second] = [await linkToken(), await linkToken()];
    expect((await reset(second)).status).toBe(204);
    expect(problemCode(await reset(first))).toBe('link_refused');

    await browser.logIn(ADA, OTHER_PASSWORD);
    const third = await linkToken();
    await browser.post('/auth/password', {
      currentPassword: OTHER_PASSWORD,
      newPassword: 'Third-Horse-9-Paperclip',
    });
    expect(problemCode(await reset(third))).toBe('link_refused');
  });

  it('still works after a password that the policy refuses', async () => {
    const token = await linkToken();
    expect(reasonsOf(await reset(token, 'short')).length).toBeGreaterThan(0);
    expect(reasonsOf(await reset(token, PASSWORD))).toEqual(['must not be one of your last 12 passwords']);
    expect((await reset(token)).status).toBe(204);
  });

  it.each(['', 'lzp_', `lzp_${'A'.repeat(43)}`, `lzi_${'A'.repeat(43)}`])(
    '%p opens nothing',
    async (token) => {
      expect([400, 401]).toContain((await reset(token)).status);
    },
  );
});

describe('password reset: the new password', () => {
  it('ends every session and opens none', async () => {
    const browser = await loggedIn(vault, ADA);
    const { status, cookies, body } = await reset(await linkToken());
    expect(status).toBe(204);
    expect(body).toEqual({});
    for (const cookie of cookies ?? []) expect(cookie).toContain('=; Max-Age=0;');
    expect((await browser.get('/auth/session')).status).toBe(401);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
  });

  it('leaves MFA on: a login asks for the code as before', async () => {
    const { secret } = await enrolMfa(vault, await loggedIn(vault, ADA));
    await reset(await linkToken());
    vault.clock.advance(MINUTE);
    const browser = new Browser(vault);
    const { body } = await browser.logIn(ADA, OTHER_PASSWORD);
    expect(body['mfaRequired']).toBe(true);
    const step = { mfaToken: body['mfaToken'], code: totpCode(vault, secret) };
    expect((await browser.post('/auth/mfa', step)).status).toBe(200);
  });

  it('kills a login that is still waiting for its code', async () => {
    const { secret } = await enrolMfa(vault, await loggedIn(vault, ADA));
    const browser = new Browser(vault);
    const { body } = await browser.logIn(ADA);
    await reset(await linkToken());
    const step = { mfaToken: body['mfaToken'], code: totpCode(vault, secret) };
    expect(problemCode(await browser.post('/auth/mfa', step))).toBe('code_refused');
  });

  it('leaves the counter of failed logins as it is', async () => {
    const token = await linkToken();
    for (let guess = 0; guess < 10; guess += 1)
      await logInFrom(vault, addressOf(guess), ADA, PASSWORD.slice(1));
    expect((await reset(token)).status).toBe(204);
    expect(problemCode(await new Browser(vault).logIn(ADA, OTHER_PASSWORD))).toBe('login_locked');
  });

  it('is told to its person by mail, without any link or password', async () => {
    await reset(await linkToken());
    const [mail] = vault.mail.sent.slice(-1);
    expect(mail).toMatchObject({ to: ADA, subject: 'Your Lockzero password was changed' });
    expect(mail?.text).not.toMatch(/lzp_|https?:/);
  });
});
