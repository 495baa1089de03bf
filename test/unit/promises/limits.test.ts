import { type ApiCall, callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  copyOf,
  interleave,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  rowsNamed,
  SECOND,
  tally,
} from './world.ts';

let vault: MemoryVault;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
  // The set-up of the world counts, too.
  vault.clock.advance(MINUTE);
});

type Attempt = (number: number) => ApiCall;

const post = (path: string, json: object, ip?: string): ApiCall =>
  ip === undefined ? { method: 'POST', path, json } : { method: 'POST', path, json, ip };
const tokenOf = (prefix: string, number: number) => `${prefix}_${String(number).padStart(43, 'A')}`;

/** Requests of one address for an account each, and the limit they run into. */
const OF_AN_ADDRESS: readonly (readonly [string, number, Attempt])[] = [
  ['login', 30, (number) => post('/auth/login', { email: `p${number}@example.com`, password: 'x' })],
  ['MFA', 30, (number) => post('/auth/mfa', { mfaToken: tokenOf('lzm', number), code: '000000' })],
  ['reset request', 10, (number) => post('/auth/password/forgot', { email: `p${number}@example.com` })],
  [
    'reset',
    10,
    (number) => post('/auth/password/reset', { token: tokenOf('lzp', number), newPassword: OTHER_PASSWORD }),
  ],
  ['set-up', 10, (number) => post('/setup', { setupToken: `guess ${number}`, workspaceName: 'Mine' })],
  [
    'token',
    60,
    (number) => ({
      ...post('/auth/refresh', {}),
      headers: { Cookie: `__Host-lockzero_refresh=${tokenOf('lzr', number)}` },
    }),
  ],
];

/** Requests for one account from an address each. */
const OF_AN_ACCOUNT: readonly (readonly [string, number, Attempt])[] = [
  [
    'login',
    20,
    (number) => post('/auth/login', { email: 'who@example.com', password: 'x' }, addressOf(number)),
  ],
  [
    'MFA',
    20,
    (number) => post('/auth/mfa', { mfaToken: tokenOf('lzm', 0), code: '000000' }, addressOf(number)),
  ],
  ['reset request', 3, (number) => post('/auth/password/forgot', { email: ADA }, addressOf(number))],
  [
    'reset',
    10,
    (number) =>
      post(
        '/auth/password/reset',
        { token: tokenOf('lzp', 0), newPassword: OTHER_PASSWORD },
        addressOf(number),
      ),
  ],
];

/** The clock stands still but for what the vault waits for, which must not carry a test into the next minute. */
function send(attempt: Attempt, count: number, instances: readonly MemoryVault[] = [vault]) {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      callApi(instances[index % instances.length] ?? vault, attempt(index)),
    ),
  );
}

describe.each([
  ['of one address', OF_AN_ADDRESS],
  ['of one account', OF_AN_ACCOUNT],
] as const)('X5: sensitive routes have stricter limits: requests %s a minute', (_, cases) => {
  it.each(cases)('%s: %i, atomically across function instances', async (_name, limit, attempt) => {
    interleave(vault);
    const answers = await send(attempt, limit + 15, [vault, memoryVault(vault)]);
    const refused = answers.filter((answer) => problemCode(answer) === 'rate_limited');
    expect(refused).toHaveLength(15);
    for (const { status, headers } of refused) {
      expect(status).toBe(429);
      expect(Number(headers?.['Retry-After'])).toBeGreaterThanOrEqual(1);
      expect(Number(headers?.['Retry-After'])).toBeLessThanOrEqual(60);
    }
  });
});

describe('X5: a limit', () => {
  const [, limit, attempt] = OF_AN_ADDRESS[0] ?? ['', 0, () => post('', {})];

  it('says how long it lasts, to the second, and ends with its minute', async () => {
    vault.clock.advance(17 * SECOND + 1);
    await send(attempt, limit);
    const [refused] = await send(attempt, 1);
    expect(refused?.headers?.['Retry-After']).toBe('43');
    vault.clock.advance(43 * SECOND - 1);
    expect((await send(attempt, 1))[0]?.status).toBe(401);
  });

  it('of one address is none of another', async () => {
    await send(attempt, limit);
    const answer = await new Browser(vault, addressOf(9)).logIn(ADA);
    expect(answer.status).toBe(200);
  });

  it('is recorded once it refuses', async () => {
    await send(attempt, limit + 5);
    const rows = rowsNamed(vault, '_platform', 'authentication.failed');
    expect(rows.filter(({ detail }) => detail['reason'] === 'rate_limited')).toHaveLength(1);
  });

  it('comes before the slow work: what is refused costs no hash', async () => {
    await send(attempt, limit);
    let hashes = 0;
    const hasher = { ...vault.hasher, verify: async () => hashes++ > 0 };
    await callApi({ ...vault, hasher }, attempt(1_000));
    expect(hashes).toBe(0);
  });
});

describe('X5: within a session', () => {
  it('step-up takes 20 requests a minute', async () => {
    const browser = await loggedIn(vault, ADA);
    const twins = Array.from({ length: 25 }, (_, index) => copyOf(browser, vault, addressOf(index)));
    const answers = await Promise.all(twins.map((twin) => twin.stepUp(OTHER_PASSWORD)));
    expect(answers.filter((answer) => problemCode(answer) === 'rate_limited')).toHaveLength(5);
  });

  it('changing the password takes 5', async () => {
    const browser = await loggedIn(vault, ADA);
    const json = { currentPassword: PASSWORD, newPassword: 'short' };
    const answers = [];
    for (let count = 0; count < 7; count += 1) answers.push(await browser.post('/auth/password', json));
    expect(tally(answers)).toEqual({ 400: 5, 429: 2 });
    vault.clock.advance(MINUTE);
    expect((await browser.post('/auth/password', json)).status).toBe(400);
  });
});
