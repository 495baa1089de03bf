import type { ApiResponse } from '../../../lambdas/api/http/route.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  countingVerifications,
  enrolMfa,
  interleave,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  SECOND,
  tally,
  totpCode,
} from './world.ts';

const WRONG = OTHER_PASSWORD;
const ELSEWHERE = addressOf(1);

let vault: MemoryVault;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
  // A refusal waits, and so would move the clock: here every millisecond counts.
  jest.spyOn(vault.clock, 'sleep').mockResolvedValue();
});

async function fail(times: number, email = ADA): Promise<ApiResponse> {
  let last: ApiResponse | undefined;
  for (let count = 0; count < times; count += 1) last = await logInFrom(vault, ELSEWHERE, email, WRONG);
  if (last === undefined) throw new Error('Nothing was tried.');
  return last;
}

const logIn = () => logInFrom(vault, ELSEWHERE, ADA, PASSWORD);

describe('I2: ten failed logins in 15 minutes lock the account for 30 minutes', () => {
  it('nine do not', async () => {
    expect(problemCode(await fail(9))).toBe('login_refused');
    expect((await logIn()).status).toBe(200);
  });

  it('after the tenth the right password does not help either', async () => {
    expect(problemCode(await fail(10))).toBe('login_refused');
    const answer = await logIn();
    expect([answer.status, problemCode(answer)]).toEqual([429, 'login_locked']);
  });

  it('for 30 minutes to the millisecond', async () => {
    await fail(10);
    vault.clock.advance(30 * MINUTE - 1);
    expect(problemCode(await logIn())).toBe('login_locked');
    vault.clock.advance(1);
    expect((await logIn()).status).toBe(200);
  });

  it('attempts while it is locked make it no longer', async () => {
    await fail(10);
    for (let minute = 0; minute < 30; minute += 1) {
      expect(problemCode(await logIn())).toBe('login_locked');
      vault.clock.advance(MINUTE);
    }
    expect((await logIn()).status).toBe(200);
  });

  it('ten that lie 15 minutes apart lock, and no wider', async () => {
    await fail(1);
    vault.clock.advance(15 * MINUTE);
    await fail(9);
    expect(problemCode(await logIn())).toBe('login_locked');
    vault.clock.advance(30 * MINUTE);
    await fail(1);
    vault.clock.advance(15 * MINUTE + 1);
    await fail(9);
    expect((await logIn()).status).toBe(200);
  });

  it('the address of the guesser and the case of the letters make no difference', async () => {
    for (let guess = 0; guess < 10; guess += 1) {
      await logInFrom(vault, addressOf(guess), guess % 2 === 0 ? ADA : ADA.toUpperCase(), WRONG);
    }
    expect(problemCode(await logIn())).toBe('login_locked');
  });
});

it('I2: the answer shows only the time left', async () => {
  await fail(10);
  vault.clock.advance(20 * MINUTE + 500);
  const { status, headers, text, cookies } = await logIn();
  expect({ status, headers, cookies }).toEqual({
    status: 429,
    headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '600' },
    cookies: undefined,
  });
  expect(JSON.parse(text ?? '')).toEqual({
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    code: 'login_locked',
    detail: 'Too many failed attempts. Try again in 10 minutes.',
    requestId: 'request-1',
  });
});

it('I2: success clears the counter', async () => {
  await fail(9);
  expect((await logIn()).status).toBe(200);
  vault.clock.advance(MINUTE);
  await fail(9);
  expect((await logIn()).status).toBe(200);
});

describe('I2: with MFA only a completed login clears the counter', () => {
  let secret: string;
  beforeEach(async () => {
    ({ secret } = await enrolMfa(vault, await loggedIn(vault, ADA)));
    vault.clock.advance(MINUTE);
  });

  const wrongCode = () => totpCode(vault, secret, 5);

  async function mfaToken(): Promise<string> {
    const { json } = await logIn();
    return (json as { mfaToken: string }).mfaToken;
  }

  it('a right password with the code still to come does not', async () => {
    await fail(9);
    expect((await logIn()).status).toBe(200);
    expect(problemCode(await fail(1))).toBe('login_refused');
    expect(problemCode(await logIn())).toBe('login_locked');
  });

  it('a right password with the code still to come is no failure either', async () => {
    for (let login = 0; login < 12; login += 1) expect((await logIn()).status).toBe(200);
  });

  it('a wrong code counts like a wrong password', async () => {
    const browser = new Browser(vault, ELSEWHERE);
    const token = await mfaToken();
    await fail(5);
    for (let guess = 0; guess < 5; guess += 1) {
      const answer = await browser.post('/auth/mfa', { mfaToken: token, code: wrongCode() });
      expect([answer.status, problemCode(answer)]).toEqual([401, 'code_refused']);
    }
    expect(problemCode(await logIn())).toBe('login_locked');
    const right = { mfaToken: token, code: totpCode(vault, secret) };
    expect(problemCode(await browser.post('/auth/mfa', right))).toBe('login_locked');
  });

  it('a wrong backup code counts, too', async () => {
    const browser = new Browser(vault, ELSEWHERE);
    const token = await mfaToken();
    for (let guess = 0; guess < 10; guess += 1) {
      await browser.post('/auth/mfa', { mfaToken: token, backupCode: `${guess}-00000-00000` });
    }
    expect(problemCode(await logIn())).toBe('login_locked');
  });

  it('a completed one does', async () => {
    await fail(9);
    const browser = new Browser(vault, ELSEWHERE);
    const step = { mfaToken: await mfaToken(), code: totpCode(vault, secret) };
    expect((await browser.post('/auth/mfa', step)).status).toBe(200);
    vault.clock.advance(MINUTE);
    await fail(9);
    expect((await logIn()).status).toBe(200);
  });
});

describe('I2: of guesses made at once no more than ten are looked at', () => {
  /** From an address each, so that the limit of an address is not what stops them. */
  function guessAtOnce(instances: readonly Vault[], times: number, password: string) {
    return Promise.all(
      Array.from({ length: times }, (_, index) => {
        const instance = instances[index % instances.length];
        if (instance === undefined) throw new Error('There is no instance.');
        return logInFrom(instance, addressOf(index), ADA, password);
      }),
    );
  }

  beforeEach(() => interleave(vault));

  it.each([1, 2])('50 by %i function instances', async (count) => {
    const { counter, hasher } = countingVerifications(vault.hasher);
    const instances = Array.from({ length: count }, (_, index) => ({
      ...(index === 0 ? vault : memoryVault(vault)),
      hasher,
    }));
    const answers = await guessAtOnce(instances, 50, WRONG);
    expect(counter.verifications).toBe(10);
    expect(tally(answers)).toEqual({ 401: 10, 429: 40 });
    expect(problemCode(await logIn())).toMatch(/login_locked|rate_limited/);
  });

  it('however many minutes they are spread over', async () => {
    const { counter, hasher } = countingVerifications(vault.hasher);
    for (let minute = 0; minute < 14; minute += 1) {
      await guessAtOnce([{ ...vault, hasher }], 18, WRONG);
      vault.clock.advance(MINUTE);
    }
    expect(counter.verifications).toBe(10);
  });

  it('right ones among them leave no lock behind', async () => {
    const answers = await guessAtOnce([vault], 18, PASSWORD);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    vault.clock.advance(30 * SECOND);
    expect((await new Browser(vault, addressOf(99)).logIn(ADA)).status).toBe(200);
  });
});
