import { DEVICE_SECONDS } from '../../../core/identity/known-device.ts';
import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  copyOf,
  enrolMfa,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  SECOND,
  totpCode,
} from './world.ts';

let vault: MemoryVault;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
});

it('ASVS 10.1.1: no answer to a browser holds a token of its session, but in cookies that no script can read', async () => {
  const other = await addWorkspace(vault);
  await addPerson(vault, other, { email: ADA, role: 'viewer' });
  const browser = new Browser(vault);
  const answers: [string, ApiResponse][] = [];
  const cookies: string[] = [];
  const note = (name: string, answer: ApiResponse) => {
    answers.push([name, answer]);
    cookies.push(...(answer.cookies ?? []));
  };
  note('login', await browser.logIn(ADA));
  note('step-up', await browser.stepUp());
  note('refresh', await browser.post('/auth/refresh'));
  note('session', await browser.get('/auth/session'));
  note('sessions', await browser.get('/auth/sessions'));
  const { secret } = await enrolMfa(vault, browser);
  vault.clock.advance(MINUTE);
  const first = await browser.logIn(ADA);
  note('first step', first);
  const step = { mfaToken: first.body['mfaToken'], code: totpCode(vault, secret) };
  note('second step', await browser.post('/auth/mfa', step));
  note('switch', await browser.post('/auth/switch-workspace', { workspaceId: other }));

  const tokens = cookies.map((cookie) => cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf(';')));
  expect(tokens).toHaveLength(12);
  for (const cookie of cookies) expect(cookie).toContain('; HttpOnly;');
  for (const [name, { status, json }] of answers) {
    const text = JSON.stringify(json);
    expect({ name, status, found: tokens.filter((token) => text.includes(token)) }).toEqual({
      name,
      status: 200,
      found: [],
    });
    expect(text).not.toMatch(/lzr_|eyJ/);
  }
});

it('ASVS 9.2.1: a device token is good for half a year after its login, to the millisecond', async () => {
  const end = vault.clock.now() + DEVICE_SECONDS * SECOND;
  const moveTo = (time: number) => vault.clock.advance(time - vault.clock.now());
  const browser = await loggedIn(vault, ADA);
  const [inTime, late] = [copyOf(browser, vault), copyOf(browser, vault)];
  moveTo(end - 10 * MINUTE);
  for (let guess = 0; guess < 10; guess += 1) await logInFrom(vault, addressOf(guess), ADA, OTHER_PASSWORD);
  // The account is locked now, but for devices that are known.
  moveTo(end - 1);
  expect((await inTime.logIn(ADA)).status).toBe(200);
  moveTo(end);
  expect(problemCode(await late.logIn(ADA))).toBe('login_locked');
});
