import { sessionKind } from '../../../core/identity/session.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import {
  ADA,
  addressOf,
  copyOf,
  interleave,
  peopleWorld,
  rowsNamed,
  SECOND,
  skewed,
  tally,
} from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let browser: Browser;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
});

const isAlive = async (one = browser) => (await one.get('/auth/session')).status === 200;

describe('I4: refresh tokens are single-use', () => {
  it('one exchange gives the next token', async () => {
    for (let round = 0; round < 5; round += 1) {
      vault.clock.advance(60 * SECOND);
      expect((await browser.post('/auth/refresh')).status).toBe(200);
    }
    expect(await isAlive()).toBe(true);
  });

  it('the JSON of an answer to a browser holds no token: they are in cookies', async () => {
    const { json } = await browser.post('/auth/refresh');
    expect(JSON.stringify(json)).not.toMatch(/lzr_|eyJ/);
  });

  it.each([
    [0, 'at once'],
    [10 * SECOND, 'within ten seconds'],
  ])('a reuse %i ms later merely fails', async (wait) => {
    const earlier = copyOf(browser, vault);
    await browser.post('/auth/refresh');
    vault.clock.advance(wait);
    expect(problemCode(await earlier.post('/auth/refresh'))).toBe('unauthenticated');
    expect(await isAlive()).toBe(true);
    expect((await browser.post('/auth/refresh')).status).toBe(200);
  });

  it('a later reuse ends the whole family, and is recorded', async () => {
    const earlier = copyOf(browser, vault);
    await browser.post('/auth/refresh');
    vault.clock.advance(10 * SECOND + 1);
    expect(problemCode(await earlier.post('/auth/refresh'))).toBe('unauthenticated');
    expect(await isAlive()).toBe(false);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    expect(rowsNamed(vault, workspaceId, 'session.reuse_detected')).toMatchObject([
      { entity: { type: 'session' }, detail: { sourceIp: '203.0.113.7' } },
    ]);
  });

  it('the third-last token ends it, too', async () => {
    const ancestor = copyOf(browser, vault);
    for (let round = 0; round < 3; round += 1) {
      await browser.post('/auth/refresh');
      vault.clock.advance(5 * SECOND);
    }
    await ancestor.post('/auth/refresh');
    expect(await isAlive()).toBe(false);
  });

  it('a token that a step-up replaced ends it likewise, and not within ten seconds', async () => {
    const earlier = copyOf(browser, vault);
    await browser.stepUp();
    await earlier.post('/auth/refresh');
    expect(await isAlive()).toBe(true);
    vault.clock.advance(11 * SECOND);
    await earlier.post('/auth/refresh');
    expect(await isAlive()).toBe(false);
  });

  it('another session of the person is another family', async () => {
    const other = await loggedIn(vault, ADA);
    const earlier = copyOf(browser, vault);
    await browser.post('/auth/refresh');
    vault.clock.advance(11 * SECOND);
    await earlier.post('/auth/refresh');
    expect(await isAlive(other)).toBe(true);
  });

  it.each(['lzr_', `lzr_${'A'.repeat(43)}`, 'x'.repeat(3_000), 'lzm_', ''])(
    '%p refreshes nothing',
    async (token) => {
      const headers = { Cookie: `__Host-lockzero_refresh=${token}`, 'X-CSRF-Token': browser.csrfToken ?? '' };
      const answer = await callApi(vault, { method: 'POST', path: '/auth/refresh', headers });
      expect(problemCode(answer)).toBe('unauthenticated');
    },
  );
});

describe('I4: of 50 refreshes at once exactly one wins, and the session lives', () => {
  async function race(instances: readonly Parameters<typeof copyOf>[1][]) {
    const racers = Array.from({ length: 50 }, (_, index) => {
      const instance = instances[index % instances.length];
      if (instance === undefined) throw new Error('There is no instance.');
      return copyOf(browser, instance, addressOf(index));
    });
    const answers = await Promise.all(racers.map((racer) => racer.post('/auth/refresh')));
    const winner = racers.find((_, index) => answers[index]?.status === 200);
    return { counts: tally(answers), winner };
  }

  beforeEach(() => interleave(vault));

  it('in one function instance', async () => {
    const { counts, winner } = await race([vault]);
    // A token takes 30 requests a minute; the rest are not even looked at.
    expect(counts).toEqual({ 200: 1, 401: 29, 429: 20 });
    expect(winner && (await isAlive(winner))).toBe(true);
    expect(winner && (await winner.post('/auth/refresh')).status).toBe(200);
  });

  it('in three', async () => {
    const { counts, winner } = await race([vault, memoryVault(vault), memoryVault(vault)]);
    expect(counts).toEqual({ 200: 1, 401: 29, 429: 20 });
    expect(winner && (await isAlive(winner))).toBe(true);
  });

  it('in two whose clocks differ by five minutes', async () => {
    const { counts, winner } = await race([vault, skewed(vault, -5 * 60 * SECOND)]);
    expect(counts[200]).toBe(1);
    expect(winner && (await isAlive(winner))).toBe(true);
  });

  it('with a step-up among them', async () => {
    const twin = copyOf(browser, vault);
    const [stepUp, refresh] = await Promise.all([browser.stepUp(), twin.post('/auth/refresh')]);
    const survivor = stepUp.status === 200 ? browser : twin;
    expect([stepUp.status, refresh.status]).toContain(200);
    expect(await isAlive(survivor)).toBe(true);
  });

  it('with a logout among them none survives', async () => {
    const twin = copyOf(browser, vault);
    const [logout] = await Promise.all([browser.post('/auth/logout'), twin.post('/auth/refresh')]);
    expect(logout.status).toBe(204);
    expect(await isAlive(twin)).toBe(false);
  });
});

describe('I4: a page that was loaded anew, whose access token has expired', () => {
  const REFRESH = '__Host-lockzero_refresh';
  let page: Browser;
  beforeEach(() => {
    page = new Browser(vault);
    page.cookies.set(REFRESH, browser.cookies.get(REFRESH) ?? '');
    vault.clock.advance(5 * 60 * SECOND);
  });

  it('learns the CSRF token from GET /auth/session, and refreshes', async () => {
    expect((await page.get('/auth/session')).status).toBe(200);
    expect((await page.post('/auth/refresh')).status).toBe(200);
    expect((await page.get('/secrets')).status).toBe(200);
  });

  it('can do nothing else with the refresh token', async () => {
    await page.get('/auth/session');
    for (const path of ['/secrets', '/auth/sessions', '/namespaces']) {
      expect(problemCode(await page.get(path))).toBe('unauthenticated');
    }
    expect(problemCode(await page.stepUp())).toBe('unauthenticated');
  });

  it('learns nothing with one that was used, nor once the session is idle or over', async () => {
    const late = copyOf(page, vault);
    await browser.post('/auth/refresh');
    expect((await late.get('/auth/session')).status).toBe(401);
    late.cookies.set(REFRESH, browser.cookies.get(REFRESH) ?? '');
    vault.clock.advance(25 * 60 * SECOND);
    expect((await late.get('/auth/session')).status).toBe(401);
  });
});

it('I4: a refresh token is stored only as a hash', async () => {
  const token = browser.cookies.get('__Host-lockzero_refresh') ?? '';
  expect(token).toMatch(/^lzr_[\w-]{43}$/);
  const stored = JSON.stringify([...vault.tables.entities.values()]);
  expect(stored).toContain(sessionKind.name);
  expect(stored).not.toContain(token);
});
