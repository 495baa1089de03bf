import type { User } from '../../../core/identity/user.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import { ADA, copyOf, DAY, MINUTE, peopleWorld, SECOND } from './world.ts';

const REFRESH = '__Host-lockzero_refresh';

let vault: MemoryVault;
let ada: User;
let browser: Browser;
let opened: { readonly id: string; readonly createdAt: string };
beforeEach(async () => {
  ({ vault, ada } = await peopleWorld());
  browser = new Browser(vault);
  const { body } = await browser.logIn(ADA);
  opened = body['session'] as typeof opened;
});

const isoAfter = (milliseconds: number) =>
  new Date(Date.parse(opened.createdAt) + milliseconds).toISOString();
/** Something that counts as use, with a fresh access token. */
async function use(): Promise<number> {
  await browser.post('/auth/refresh');
  return (await browser.get('/secrets')).status;
}

describe('I4: sessions end after 30 minutes without use', () => {
  it('after 29:59 one lives, and the use begins the 30 minutes anew', async () => {
    vault.clock.advance(29 * MINUTE + 59 * SECOND);
    expect(await use()).toBe(200);
    vault.clock.advance(29 * MINUTE + 59 * SECOND);
    expect(await use()).toBe(200);
  });

  it('after 30:00 one is over, for good', async () => {
    vault.clock.advance(30 * MINUTE);
    const refreshed = await browser.post('/auth/refresh');
    expect([refreshed.status, problemCode(refreshed)]).toEqual([401, 'unauthenticated']);
    vault.clock.advance(10 * MINUTE);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
  });

  it('an access token that is still good does not help after 30:00', async () => {
    vault.clock.advance(29 * MINUTE);
    await browser.post('/auth/refresh');
    vault.clock.advance(MINUTE);
    expect(problemCode(await browser.get('/secrets'))).toBe('unauthenticated');
  });

  it('refreshing is no use: a tab that only refreshes is idle', async () => {
    for (let minute = 0; minute < 25; minute += 5) {
      vault.clock.advance(5 * MINUTE);
      expect((await browser.post('/auth/refresh')).status).toBe(200);
    }
    vault.clock.advance(5 * MINUTE);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
  });

  it('looking at the session is no use', async () => {
    for (let minute = 0; minute < 25; minute += 5) {
      vault.clock.advance(5 * MINUTE);
      await browser.post('/auth/refresh');
      expect((await browser.get('/auth/session')).status).toBe(200);
    }
    vault.clock.advance(5 * MINUTE);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
  });

  it('a refused request is no use', async () => {
    const earlier = copyOf(browser, vault);
    await browser.stepUp();
    vault.clock.advance(4 * MINUTE);
    expect((await earlier.get('/secrets')).status).toBe(401);
    const { session } = (await browser.get('/auth/session')).body;
    expect(session).toMatchObject({ idleExpiresAt: isoAfter(30 * MINUTE) });
  });
});

describe('I4: a client learns when to warn', () => {
  it('at 25 minutes, and when the session ends', async () => {
    vault.clock.advance(4 * MINUTE);
    const { session } = (await browser.get('/auth/session')).body;
    expect(session).toMatchObject({
      warnAt: isoAfter(25 * MINUTE),
      idleExpiresAt: isoAfter(30 * MINUTE),
      expiresAt: isoAfter(30 * DAY),
    });
  });

  it('use moves both, but not the absolute end', async () => {
    vault.clock.advance(4 * MINUTE);
    await browser.get('/secrets');
    const { session } = (await browser.get('/auth/session')).body;
    expect(session).toMatchObject({
      warnAt: isoAfter(29 * MINUTE),
      idleExpiresAt: isoAfter(34 * MINUTE),
      expiresAt: isoAfter(30 * DAY),
    });
  });

  it('near the absolute end by that', async () => {
    vault.clock.advance(30 * DAY - 10 * MINUTE);
    await vault.bookkeeping.startSession(opened.id, vault.clock.now(), vault.clock.now() + DAY);
    await browser.post('/auth/refresh');
    const { session } = (await browser.get('/auth/session')).body;
    expect(session).toMatchObject({ warnAt: isoAfter(30 * DAY), idleExpiresAt: isoAfter(30 * DAY) });
  });
});

describe('I4: sessions end after 30 days', () => {
  /** As if there had been somebody at work all the time: the mark of last use is what counts. */
  async function atWorkUntil(milliseconds: number): Promise<void> {
    vault.clock.advance(Date.parse(opened.createdAt) + milliseconds - vault.clock.now());
    await vault.bookkeeping.startSession(opened.id, vault.clock.now(), vault.clock.now() + DAY);
  }

  it('even with use and refreshes every day', async () => {
    for (let day = 1; day < 30; day += 1) {
      await atWorkUntil(day * DAY);
      expect(await use()).toBe(200);
    }
    await atWorkUntil(30 * DAY - SECOND);
    expect(await use()).toBe(200);
    await atWorkUntil(30 * DAY);
    expect((await browser.get('/secrets')).status).toBe(401);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
  });

  it('the cookie ends with the session', async () => {
    await atWorkUntil(29 * DAY);
    const { cookies = [] } = await browser.post('/auth/refresh');
    expect(cookies.find((cookie) => cookie.startsWith(REFRESH))).toContain(`Max-Age=${DAY / SECOND};`);
  });
});

describe('I4: the sessions of a person', () => {
  it('are listed with client, times and address, the current one marked', async () => {
    vault.clock.advance(SECOND);
    const other = new Browser(vault, '198.51.100.9');
    await other.logIn(ADA);
    const { items } = (await other.get('/auth/sessions')).body as { items: object[] };
    expect(items).toMatchObject([
      { id: opened.id, current: false, client: 'browser', ipAddress: '203.0.113.7', userAgent: 'test' },
      { current: true, ipAddress: '198.51.100.9', createdAt: isoAfter(SECOND), lastSeenAt: isoAfter(SECOND) },
    ]);
  });

  it('do not show those that are over: logged out, idle, or of an earlier password', async () => {
    const list = async (by: Browser) =>
      ((await by.get('/auth/sessions')).body as { items: { id: string }[] }).items;
    const second = await loggedIn(vault, ADA);
    await second.post('/auth/logout');
    expect(await list(browser)).toHaveLength(1);
    vault.clock.advance(30 * MINUTE);
    const third = await loggedIn(vault, ADA);
    expect(await list(third)).toHaveLength(1);
    await third.post('/auth/sessions/revoke-all');
    expect(await list(await loggedIn(vault, ADA))).toHaveLength(1);
  });

  it('of somebody else can be neither seen nor ended', async () => {
    const workspaceId = ada.workspaceIds[0] ?? '';
    await addPerson(vault, workspaceId, { email: 'eve@example.com', role: 'owner' });
    const eve = await loggedIn(vault, 'eve@example.com', { steppedUp: true });
    expect(problemCode(await eve.send('DELETE', `/auth/sessions/${opened.id}`))).toBe('not_found');
    expect((await browser.get('/auth/session')).status).toBe(200);
  });
});

it('I4: whoever logs in anew in a browser leaves no session behind', async () => {
  const earlier = copyOf(browser, vault);
  expect((await browser.logIn(ADA)).status).toBe(200);
  expect((await earlier.get('/auth/session')).status).toBe(401);
  expect((await earlier.post('/auth/refresh')).status).toBe(401);
});
