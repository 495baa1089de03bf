import type { MemoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  copyOf,
  type Enrolled,
  enrolMfa,
  interleave,
  MINUTE,
  peopleWorld,
  tally,
  totpCode,
} from './world.ts';

const DEVICES = 5;
const TRIES_EACH = 10;

let vault: MemoryVault;
let enrolled: Enrolled;
/** Browsers that are known, so that each has a counter of its own and the lock of the account stops none. */
let devices: Browser[];
let owner: Browser;

beforeEach(async () => {
  ({ vault } = await peopleWorld());
  devices = [];
  owner = await loggedIn(vault, ADA);
  enrolled = await enrolMfa(vault, owner);
  // Known by a login since MFA was switched on, so that each has a counter of its own.
  while (devices.length < DEVICES) {
    const device = new Browser(vault);
    const { mfaToken } = (await device.logIn(ADA)).body;
    await device.post('/auth/mfa', { mfaToken, backupCode: enrolled.backupCodes[devices.length] });
    devices.push(device);
  }
  vault.clock.advance(2 * MINUTE);
  interleave(vault);
});

/** Fifty second steps at once, of five logins, each from an address of its own. */
async function fiftyAtOnce(factor: { readonly code: string } | { readonly backupCode: string }) {
  const tokens = await Promise.all(devices.map(async (device) => (await device.logIn(ADA)).body['mfaToken']));
  const tries = devices.flatMap((device, index) =>
    Array.from({ length: TRIES_EACH }, (_, attempt) => {
      const browser = copyOf(device, vault, addressOf(index * TRIES_EACH + attempt));
      return browser.post('/auth/mfa', { mfaToken: tokens[index], ...factor });
    }),
  );
  return Promise.all(tries);
}

it('I3: of 50 logins at once with one TOTP code exactly one wins', async () => {
  const answers = await fiftyAtOnce({ code: totpCode(vault, enrolled.secret) });
  expect(tally(answers)).toEqual({ 200: 1, 401: 49 });
});

it('I3: of 50 logins at once with one backup code exactly one wins', async () => {
  const answers = await fiftyAtOnce({ backupCode: enrolled.backupCodes[7] ?? '' });
  expect(tally(answers)).toEqual({ 200: 1, 401: 49 });
});

it('I3: two different backup codes at once both work', async () => {
  const [first, second] = devices;
  if (first === undefined || second === undefined) throw new Error('There are no devices.');
  const answers = await Promise.all(
    [first, second].map(async (device, index) => {
      const { body } = await device.logIn(ADA);
      const step = { mfaToken: body['mfaToken'], backupCode: enrolled.backupCodes[8 + index] };
      return device.post('/auth/mfa', step);
    }),
  );
  expect(tally(answers)).toEqual({ 200: 2 });
});

it('I3: one code for a login and a step-up at the same time serves one of them', async () => {
  const code = totpCode(vault, enrolled.secret);
  const fresh = new Browser(vault);
  const { body } = await fresh.logIn(ADA);
  const answers = await Promise.all([
    fresh.post('/auth/mfa', { mfaToken: body['mfaToken'], code }),
    owner.post('/auth/step-up', { code }),
  ]);
  expect(tally(answers)).toEqual({ 200: 1, 401: 1 });
});

it('I3: of ten second steps at once with one token and a good code each only one opens a session', async () => {
  const [device] = devices;
  if (device === undefined) throw new Error('There is no device.');
  const { body } = await device.logIn(ADA);
  const answers = await Promise.all(
    enrolled.backupCodes.map((backupCode, index) =>
      copyOf(device, vault, addressOf(index)).post('/auth/mfa', { mfaToken: body['mfaToken'], backupCode }),
    ),
  );
  expect(tally(answers)).toEqual({ 200: 1, 401: 9 });
});
