import { logger } from '../../../lambdas/shared/logger.ts';
import { PUBLIC_URL, rowsOf } from '../../support/memory-vault.ts';
import { Browser, loggedIn } from '../../support/people.ts';
import {
  answerOf,
  connected,
  decide,
  EMAIL,
  hiddenFields,
  locationOf,
  oauthWorld,
  openConsent,
  REQUEST,
  submit,
} from './oauth-world.ts';

const ACCESS_COOKIE = '__Host-lockzero_access';
const MINUTE_MS = 60_000;

async function world() {
  const made = await oauthWorld();
  const browser = await loggedIn(made.vault, EMAIL);
  const rows = (lane = 0) => rowsOf(made.vault, made.workspaceId, lane);
  return { ...made, browser, rows, last: () => rows().at(-1) };
}

describe('the page that asks', () => {
  it('I6 says which program asks, as whom and where it may act, what it may do, how long, and where one goes then', async () => {
    const { browser, last } = await world();
    const page = await openConsent(browser);
    expect(page.status).toBe(200);
    for (const fact of [
      'Lockzero CLI (lockzero-cli)',
      EMAIL,
      'Acme, where you are operator',
      'Everything that you may do there. Revealing a secret asks for your password again.',
      '2026-01-31 00:00 UTC, or until it is not used for 30 minutes',
      '127.0.0.1:51004',
    ]) {
      expect(page.text).toContain(fact);
    }
    expect(last()).toMatchObject({ action: 'session.read', result: 'success', actor: { type: 'user' } });
  });

  it('lets one allow, refuse and log out', async () => {
    const { browser } = await world();
    const { text = '' } = await openConsent(browser);
    const decisions = [...text.matchAll(/<button name="decision" value="(\w+)">/g)].map(([, value]) => value);
    expect(decisions).toEqual(['allow', 'deny', 'sign_out']);
  });

  it('lets its form lead to the vault and to the client, and nowhere else', async () => {
    const { browser } = await world();
    const policyFor = async (redirect_uri: string) => {
      const { headers = {} } = await openConsent(browser, { ...REQUEST, redirect_uri });
      return headers['Content-Security-Policy'];
    };
    const policy = (source: string) => expect.stringContaining(`form-action 'self' ${source};`);
    expect(await policyFor('http://127.0.0.1:51004/callback')).toEqual(policy('http://127.0.0.1:51004'));
    expect(await policyFor('http://127.0.0.1/callback')).toEqual(policy('http://127.0.0.1'));
    // Policies have no form for IPv6 addresses.
    expect(await policyFor('http://[::1]:51004/callback')).toEqual(policy('http://*:51004'));
    expect(await policyFor('http://[::1]/callback')).toEqual(policy('http://*:80'));
  });

  it('never remembers a consent: whoever has allowed is asked again', async () => {
    const { vault } = await oauthWorld();
    const { browser } = await connected(vault);
    const page = await openConsent(browser);
    expect(page.text).toContain('Let Lockzero CLI act for you?');
  });

  it('opens with the refresh cookie alone, as access tokens last five minutes, and uses it not up', async () => {
    const { vault, browser } = await world();
    vault.clock.advance(6 * MINUTE_MS);
    browser.cookies.delete(ACCESS_COOKIE);
    const cookies = browser.cookieHeader();
    expect((await openConsent(browser)).text).toContain(EMAIL);
    expect((await openConsent(browser)).text).toContain(EMAIL);
    expect(browser.cookieHeader()).toBe(cookies);
  });

  it('I8 is the login, with the notice of a controlled system, without a session that stands', async () => {
    const { vault, browser } = await world();
    const headers = { Cookie: browser.cookieHeader() };
    await browser.post('/auth/logout');
    const pages = [
      await openConsent(new Browser(vault)),
      await browser.get('/oauth/authorize', { query: REQUEST, headers }),
    ];
    for (const { status, text } of pages) {
      expect(status).toBe(200);
      expect(text).toContain('<h1>Log in</h1>');
      expect(text).toContain('All access is monitored, logged and audited. Unauthorized use is prohibited');
      expect(text).not.toContain(EMAIL);
    }
  });

  it('is the login for a session that was idle for half an hour', async () => {
    const { vault, browser } = await world();
    vault.clock.advance(31 * MINUTE_MS);
    expect((await openConsent(browser)).text).toContain('<h1>Log in</h1>');
    browser.cookies.delete(ACCESS_COOKIE);
    expect((await openConsent(browser)).text).toContain('<h1>Log in</h1>');
  });

  it('I4 is only looked at: that does not prolong the idle time of half an hour', async () => {
    const { vault, browser } = await world();
    for (let minutes = 0; minutes < 28; minutes += 4) {
      vault.clock.advance(4 * MINUTE_MS);
      expect((await openConsent(browser)).text).toContain(EMAIL);
      browser.cookies.delete(ACCESS_COOKIE);
    }
    vault.clock.advance(4 * MINUTE_MS);
    expect((await openConsent(browser)).text).toContain('<h1>Log in</h1>');
  });

  it('is the login for an access token in a header: only cookies count', async () => {
    const { vault } = await oauthWorld();
    const { access_token } = await connected(vault);
    const headers = { Authorization: `Bearer ${access_token}` };
    const page = await new Browser(vault).get('/oauth/authorize', { query: REQUEST, headers });
    expect(page.text).toContain('<h1>Log in</h1>');
  });
});

describe('deciding', () => {
  it('I6 RFC 9207: allowing gives the client a code, its state as it was, and who answers; recorded', async () => {
    const { vault, browser, last } = await world();
    const answer = answerOf(await decide(browser, 'allow'));
    expect(answer).toEqual({
      code: expect.stringMatching(/^lzc_[\w-]{43}$/),
      state: REQUEST.state,
      iss: PUBLIC_URL,
    });
    expect(last()).toMatchObject({
      action: 'oauth.authorized',
      result: 'success',
      detail: { client: 'lockzero-cli' },
    });
    const everything = JSON.stringify([...vault.tables.entities.values()]) + JSON.stringify(last());
    expect(everything).not.toContain(answer['code']);
  });

  it('refusing gives the client access_denied; recorded', async () => {
    const { browser, last } = await world();
    expect(answerOf(await decide(browser, 'deny'))).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: REQUEST.state,
      iss: PUBLIC_URL,
    });
    expect(last()).toMatchObject({ action: 'oauth.denied', detail: { client: 'lockzero-cli' } });
  });

  it('logging out ends the session at once and goes back to the login for the same request', async () => {
    const { browser, last } = await world();
    const stolen = browser.cookieHeader();
    const answer = await decide(browser, 'sign_out');
    const url = locationOf(answer);
    expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual(['/oauth/authorize', REQUEST]);
    expect([...browser.cookies.keys()]).toEqual(['__Host-lockzero_device']);
    expect(last()?.action).toBe('session.ended');
    const page = await browser.get('/oauth/authorize', { query: REQUEST, headers: { Cookie: stolen } });
    expect(page.text).toContain('<h1>Log in</h1>');
  });

  it.each([
    ['no token', undefined],
    ['an empty token', ''],
    ['a token of nobody', '1.00000000000000000000000000000000000000000000000000000000000000'],
  ])('I7 is refused with %s from the page, and recorded', async (_, token) => {
    const { browser, rows } = await world();
    const { csrf_token: _right, ...fields } = hiddenFields(await openConsent(browser));
    const sent = { ...fields, decision: 'allow', ...(token === undefined ? {} : { csrf_token: token }) };
    const answer = await submit(browser, '/oauth/authorize', sent);
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('Location');
    expect(rows(1).at(-1)).toMatchObject({ action: 'authentication.failed', detail: { reason: 'csrf' } });
  });

  it("I7 is refused with the token of another person's session, with the refresh cookie alone too", async () => {
    const { vault, browser } = await world();
    const other = await loggedIn(vault, EMAIL);
    const fields = { ...hiddenFields(await openConsent(other)), decision: 'allow' };
    expect((await submit(browser, '/oauth/authorize', fields)).status).toBe(403);
    browser.cookies.delete(ACCESS_COOKIE);
    expect((await submit(browser, '/oauth/authorize', fields)).status).toBe(403);
  });

  it.each([
    ['another origin', { Origin: 'https://evil.example' }],
    ['a page that hides its origin', { Origin: 'null' }],
  ])('I7 is refused from %s', async (_, headers) => {
    const { browser } = await world();
    const fields = { ...hiddenFields(await openConsent(browser)), decision: 'allow' };
    expect((await submit(browser, '/oauth/authorize', fields, headers)).status).toBe(403);
  });

  it('an answer that is none of the three is refused, and recorded', async () => {
    const { browser, last } = await world();
    const answer = await decide(browser, 'perhaps');
    expect(answer.status).toBe(400);
    expect(last()).toMatchObject({ action: 'oauth.authorized', result: 'failure' });
  });

  it('whoever takes longer than an access token lasts decides all the same, and goes on with fresh cookies', async () => {
    const { vault, browser } = await world();
    const page = await openConsent(browser);
    vault.clock.advance(6 * MINUTE_MS);
    browser.cookies.delete(ACCESS_COOKIE);
    const used = browser.cookieHeader();
    const answer = await submit(browser, '/oauth/authorize', { ...hiddenFields(page), decision: 'allow' });
    expect(answerOf(answer)).toHaveProperty('code');
    expect(browser.cookies.has(ACCESS_COOKIE)).toBe(true);
    expect(browser.cookieHeader()).not.toContain(used);
    expect((await browser.get('/auth/session')).status).toBe(200);
  });

  it('keeps the fresh cookies where the decision itself fails', async () => {
    const { browser } = await world();
    const page = await openConsent(browser);
    browser.cookies.delete(ACCESS_COOKIE);
    const answer = await submit(browser, '/oauth/authorize', { ...hiddenFields(page), decision: 'perhaps' });
    expect(answer.status).toBe(400);
    expect((await browser.get('/auth/session')).status).toBe(200);
  });

  it('with a session that is over, or none, leads to the login', async () => {
    const { vault, browser } = await world();
    const page = await openConsent(browser);
    const cookies = browser.cookieHeader();
    await browser.post('/auth/logout');
    const fields = { ...hiddenFields(page), decision: 'allow' };
    const answer = await submit(browser, '/oauth/authorize', fields, { Cookie: cookies });
    expect(locationOf(answer).pathname).toBe('/oauth/authorize');
    const without = await submit(new Browser(vault), '/oauth/authorize', fields);
    expect(locationOf(without).pathname).toBe('/oauth/authorize');
  });

  it('a client cannot consent in the name of its person', async () => {
    const { vault, workspaceId } = await oauthWorld();
    const { access_token } = await connected(vault);
    const browser = new Browser(vault);
    browser.cookies.set(ACCESS_COOKIE, access_token);
    const answer = await decide(browser, 'allow');
    expect(answer.status).toBe(403);
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({ action: 'oauth.authorized', result: 'denied' });
  });
});

it('what fails on the side of the vault is answered with a page too, which says so', async () => {
  const { vault, browser } = await world();
  const page = await openConsent(browser);
  const logged = jest.spyOn(logger, 'error').mockImplementation();
  vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
  const answer = await submit(browser, '/oauth/authorize', { ...hiddenFields(page), decision: 'allow' });
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({ 'Content-Type': 'text/html; charset=utf-8' });
  expect(answer.text).toContain('<h1>This did not work</h1>');
  expect(logged).toHaveBeenCalledWith('The request failed', expect.objectContaining({ code: 'unavailable' }));
});
