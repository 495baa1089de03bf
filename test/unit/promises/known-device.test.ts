import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  enrolMfa,
  logInFrom,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  totpCode,
} from './world.ts';

const DEVICE = '__Host-lockzero_device';

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
});

/** Ada's own browser, in which she logged in before and out again. */
async function ownBrowser(): Promise<Browser> {
  const browser = await loggedIn(vault, ADA);
  await browser.post('/auth/logout');
  vault.clock.advance(MINUTE);
  return browser;
}

async function hammer(times: number): Promise<void> {
  for (let guess = 0; guess < times; guess += 1) {
    await logInFrom(vault, addressOf(guess), ADA, OTHER_PASSWORD);
  }
}

describe('I2: a known device can still log in while an attacker hammers the account', () => {
  it('though the account is locked for everybody else', async () => {
    const browser = await ownBrowser();
    await hammer(10);
    expect(problemCode(await new Browser(vault).logIn(ADA))).toBe('login_locked');
    expect((await browser.logIn(ADA)).status).toBe(200);
  });

  it('its success does not open the account for the attacker', async () => {
    const browser = await ownBrowser();
    await hammer(10);
    await browser.logIn(ADA);
    expect(problemCode(await new Browser(vault).logIn(ADA))).toBe('login_locked');
  });

  it('though the attacker sends more than the limit of an account takes', async () => {
    const browser = await ownBrowser();
    await hammer(100);
    expect((await browser.logIn(ADA)).status).toBe(200);
  });

  it('with its second factor, too', async () => {
    const browser = await loggedIn(vault, ADA);
    const { secret } = await enrolMfa(vault, browser);
    vault.clock.advance(MINUTE);
    await hammer(10);
    const { body } = await browser.logIn(ADA);
    const step = { mfaToken: body['mfaToken'], code: totpCode(vault, secret) };
    expect((await browser.post('/auth/mfa', step)).status).toBe(200);
  });
});

describe('I2: a known device has a counter and a lock of its own', () => {
  it('ten failures lock it, and only it', async () => {
    const browser = await ownBrowser();
    for (let guess = 0; guess < 10; guess += 1) await browser.logIn(ADA, OTHER_PASSWORD);
    expect(problemCode(await browser.logIn(ADA))).toBe('login_locked');
    expect((await new Browser(vault).logIn(ADA)).status).toBe(200);
  });

  it('two devices are counted apart', async () => {
    const [first, second] = [await ownBrowser(), await ownBrowser()];
    for (let guess = 0; guess < 10; guess += 1) await first.logIn(ADA, OTHER_PASSWORD);
    vault.clock.advance(MINUTE);
    expect(problemCode(await first.logIn(ADA))).toBe('login_locked');
    expect((await second.logIn(ADA)).status).toBe(200);
  });
});

describe('I2: only a completed login makes a device known, and for one account', () => {
  it('a right password with the code still to come does not', async () => {
    await enrolMfa(vault, await loggedIn(vault, ADA));
    const browser = new Browser(vault);
    expect((await browser.logIn(ADA)).body['mfaRequired']).toBe(true);
    expect([...browser.cookies.keys()]).toEqual([]);
  });

  it('a device of somebody else is none of hers', async () => {
    await addPerson(vault, workspaceId, { email: 'eve@example.com', role: 'viewer' });
    const eve = await loggedIn(vault, 'eve@example.com');
    await hammer(10);
    expect(problemCode(await eve.logIn(ADA))).toBe('login_locked');
  });

  it.each([
    ['made up', () => `${'a'.repeat(32)}.1.${'b'.repeat(64)}`],
    ['of another device id', (token: string) => `${'0'.repeat(32)}${token.slice(32)}`],
    ['without its tag', (token: string) => token.slice(0, 32)],
    ['with more after its tag', (token: string) => `${token}0`],
    ['that is no token', () => 'x'.repeat(5_000)],
  ])('a token %s makes none', async (_, forge) => {
    const browser = await ownBrowser();
    await hammer(10);
    browser.cookies.set(DEVICE, forge(browser.cookies.get(DEVICE) ?? ''));
    expect(problemCode(await browser.logIn(ADA))).toBe('login_locked');
  });
});
