import { rowsOf } from '../../support/memory-vault.ts';
import { Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  codeOf,
  EMAIL,
  hiddenFields,
  locationOf,
  oauthWorld,
  openConsent,
  REQUEST,
  submit,
  switchMfaOn,
} from './oauth-world.ts';

async function world() {
  const made = await oauthWorld();
  const browser = new Browser(made.vault);
  const logIn = (password = PASSWORD, email = EMAIL, headers = {}) =>
    submit(browser, '/oauth/login', { ...REQUEST, email, password }, headers);
  return { ...made, browser, logIn };
}

/** Somebody with a second factor, who has shown the password. */
async function halfway() {
  const made = await world();
  const { totp, backupCodes } = await switchMfaOn(made.vault, await loggedIn(made.vault, EMAIL));
  const page = await made.logIn();
  const sendCode = (code: string) => submit(made.browser, '/oauth/mfa', { ...hiddenFields(page), code });
  return { ...made, totp, backupCodes, page, sendCode };
}

it('a right password opens a session in cookies and leads to the page that asks, for the same request', async () => {
  const { browser, logIn } = await world();
  const url = locationOf(await logIn());
  expect([url.pathname, Object.fromEntries(url.searchParams)]).toEqual(['/oauth/authorize', REQUEST]);
  expect([...browser.cookies.keys()]).toEqual([
    '__Host-lockzero_access',
    '__Host-lockzero_refresh',
    '__Host-lockzero_device',
  ]);
  expect((await openConsent(browser)).text).toContain('Let Lockzero CLI act for you?');
});

it('the form carries the request on as it came, whatever is in its state', async () => {
  const { browser } = await world();
  const state = `"><script>alert('x')</script>&amp;`;
  const page = await openConsent(browser, { ...REQUEST, state });
  expect(page.text).not.toContain('<script');
  expect(page.text).toContain(
    'name="state" value="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"',
  );
});

it('I2 gives one answer to a wrong password and to an unknown account', async () => {
  const { logIn } = await world();
  const wrong = await logIn('Wrong-Horse-7-Battery');
  const unknown = await logIn(PASSWORD, 'nobody@example.com');
  for (const { status, text } of [wrong, unknown]) {
    expect(status).toBe(401);
    expect(text).toContain('The e-mail address or the password is wrong.');
  }
  expect(wrong.text?.replace(EMAIL, '')).toBe(unknown.text?.replace('nobody@example.com', ''));
  expect(wrong.text).not.toContain('Wrong-Horse');
});

it('I2 the lock shows on the page, with the time left, and holds against the right password', async () => {
  const { logIn } = await world();
  for (let attempt = 0; attempt < 10; attempt += 1) await logIn('Wrong-Horse-7-Battery');
  const { status, headers, text } = await logIn();
  expect(status).toBe(429);
  expect(headers).toMatchObject({ 'Retry-After': '1800' });
  expect(text).toContain('Too many failed attempts. Try again in 30 minutes.');
});

it('X5 too many requests get a page with the time left, and are recorded', async () => {
  const { vault, browser } = await world();
  const send = (n: number) =>
    submit(browser, '/oauth/login', { ...REQUEST, email: `user${n}@example.com`, password: 'x' });
  for (let n = 0; n < 30; n += 1) expect((await send(n)).status).toBe(401);
  const { status, headers, text } = await send(30);
  expect(status).toBe(429);
  expect(headers).toMatchObject({ 'Content-Type': 'text/html; charset=utf-8' });
  expect(text).toContain(`Try again in ${headers?.['Retry-After']} seconds.`);
  const reasons = rowsOf(vault, '_platform', 1).map(({ detail }) => detail['reason']);
  expect(reasons).toContain('rate_limited');
});

it.each([
  [
    { email: '', password: PASSWORD },
    'The e-mail address must be an e-mail address such as ada@example.com.',
  ],
  [{ email: EMAIL, password: '' }, 'The password must not be empty.'],
  [{ password: PASSWORD }, 'The e-mail address must be'],
])('what is missing in the form is said above it: %j', async (fields, message) => {
  const { browser } = await world();
  const page = await submit(browser, '/oauth/login', { ...REQUEST, ...fields });
  expect(page.status).toBe(400);
  expect(page.text).toContain(message);
  expect(page.text).toContain('action="login"');
});

it.each([
  ['another origin', { Origin: 'https://evil.example' }],
  ['a page that hides its origin', { Origin: 'null' }],
])('I7 a login from %s is refused: nobody is logged in as somebody else', async (_, headers) => {
  const { browser, logIn } = await world();
  const { status, text } = await logIn(PASSWORD, EMAIL, headers);
  expect(status).toBe(403);
  expect(text).toContain('This form belongs to another session, or did not come from the vault itself.');
  expect(browser.cookies.size).toBe(0);
});

it('takes forms only', async () => {
  const { browser } = await world();
  const answer = await browser.post('/oauth/login', { ...REQUEST, email: EMAIL, password: PASSWORD });
  expect(answer.status).toBe(415);
  expect(answer.headers).toMatchObject({ 'Content-Type': 'text/html; charset=utf-8' });
});

it('a login ends the session that was in the browser before', async () => {
  const { vault, browser, logIn } = await world();
  await logIn();
  const earlier = browser.cookieHeader();
  await logIn();
  expect((await browser.get('/auth/session')).status).toBe(200);
  const old = await new Browser(vault).get('/auth/session', { headers: { Cookie: earlier } });
  expect(old.status).toBe(401);
});

describe('with a second factor', () => {
  it('I3 the right password leads to the code, and opens nothing yet', async () => {
    const { browser, page } = await halfway();
    expect(page.status).toBe(200);
    expect(page.text).toContain('<h1>Second factor</h1>');
    expect(browser.cookies.size).toBe(0);
  });

  it('I3 a code of the app completes it', async () => {
    const { vault, browser, totp, sendCode } = await halfway();
    expect(locationOf(await sendCode(codeOf(vault, totp))).pathname).toBe('/oauth/authorize');
    expect((await openConsent(browser)).text).toContain(EMAIL);
  });

  it('I3 a backup code completes it, too', async () => {
    const { browser, backupCodes, sendCode } = await halfway();
    await sendCode(` ${backupCodes[0]} `);
    expect((await openConsent(browser)).text).toContain(EMAIL);
  });

  it('I2 a wrong code shows the form again, and counts as a failed login', async () => {
    const { vault, totp, sendCode, logIn } = await halfway();
    const wrong = codeOf(vault, totp) === '000000' ? '111111' : '000000';
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { status, text } = await sendCode(wrong);
      expect(status).toBe(401);
      expect(text).toContain('This code is wrong or was used already.');
      expect(text).toContain('action="mfa"');
    }
    expect((await sendCode(codeOf(vault, totp))).status).toBe(429);
    expect((await logIn()).status).toBe(429);
  });

  it('I3 a code works once', async () => {
    const { vault, browser, totp, sendCode, logIn } = await halfway();
    const code = codeOf(vault, totp);
    await sendCode(code);
    const again = await logIn();
    const { status } = await submit(browser, '/oauth/mfa', { ...hiddenFields(again), code });
    expect(status).toBe(401);
  });

  it('an empty code, and a form without its token, are told', async () => {
    const { browser, sendCode } = await halfway();
    expect((await sendCode('')).text).toContain('The code must not be empty.');
    expect((await submit(browser, '/oauth/mfa', { ...REQUEST, code: '123456' })).status).toBe(400);
  });

  it('I7 a code from another origin is refused', async () => {
    const { vault, browser, totp, page } = await halfway();
    const fields = { ...hiddenFields(page), code: codeOf(vault, totp) };
    const answer = await submit(browser, '/oauth/mfa', fields, { Origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
  });
});
