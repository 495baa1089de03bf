import { addWorkspace } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { EMAIL, oauthWorld, submit } from '../oauth/oauth-world.ts';

const NEXT_PASSWORD = 'Another-Horse-8-Staple';
const INVITED = 'bob@example.com';

/** Every row and entity: what the vault knows. */
function everything({ tables }: MemoryVault): string {
  return JSON.stringify([[...tables.rows.values()], [...tables.entities.values()]]);
}

function open(vault: MemoryVault, path: string, token: string) {
  return callApi(vault, { method: 'GET', path, query: { token, utm_source: 'mail' } });
}

async function resetLink() {
  const made = await oauthWorld();
  await new Browser(made.vault).post('/auth/password/forgot', { email: EMAIL });
  return { ...made, token: made.vault.mail.tokenFor(EMAIL), path: '/reset-password' };
}

async function invitationLink() {
  const made = await oauthWorld('admin');
  const admin = await loggedIn(made.vault, EMAIL, { steppedUp: true });
  const { status } = await admin.post('/workspace/invitations', { email: INVITED, role: 'viewer' });
  expect(status).toBe(201);
  return { ...made, token: made.vault.mail.tokenFor(INVITED), path: '/accept-invitation' };
}

describe.each([
  ['to set a new password', resetLink],
  ['in an invitation', invitationLink],
])('the link %s', (_, link) => {
  it('consumes nothing and looks nothing up when it is opened, however often', async () => {
    const { vault, path, token } = await link();
    const before = everything(vault);
    const asked: string[] = [];
    vault.tables.faults = async ({ name }) => {
      asked.push(name);
      return 'none';
    };
    for (let time = 0; time < 3; time += 1) {
      const page = await open(vault, path, token);
      expect(page.status).toBe(200);
      expect(page.text).toContain(`<input type="hidden" name="token" value="${token}">`);
    }
    expect(asked).toEqual([]);
    expect(everything(vault)).toBe(before);
  });

  it('opens alike for a token that nobody made', async () => {
    const { vault, path, token } = await link();
    const other = `${token.slice(0, 4)}${'A'.repeat(43)}`;
    const [right, wrong] = [await open(vault, path, token), await open(vault, path, other)];
    expect(wrong.text?.replace(other, '')).toBe(right.text?.replace(token, ''));
  });

  it.each([[''], ['two words'], ['<b>'], ['x'.repeat(129)]])(
    'is incomplete with the token "%s"',
    async (token) => {
      const { vault, path } = await link();
      const page = await open(vault, path, token);
      expect(page.status).toBe(400);
      expect(page.text).toContain('The link is not complete: copy all of it from the mail.');
    },
  );

  it('I7 works from its own page only', async () => {
    const { vault, path, token } = await link();
    const fields = { token, password: NEXT_PASSWORD, newPassword: NEXT_PASSWORD };
    const headers = { Origin: 'https://evil.example' };
    expect((await submit(new Browser(vault), path, fields, headers)).status).toBe(403);
    expect((await submit(new Browser(vault), path, fields)).status).toBe(200);
  });

  it('says that it is over when it comes again', async () => {
    const { vault, path, token } = await link();
    const fields = { token, password: NEXT_PASSWORD, newPassword: NEXT_PASSWORD };
    await submit(new Browser(vault), path, fields);
    const again = await submit(new Browser(vault), path, fields);
    expect(again.status).toBe(401);
    expect(again.text).toMatch(/This (link|invitation) is over/);
    expect(again.text).not.toContain('<form');
  });

  it('I1 tells every fault of a password, and works once they are mended', async () => {
    const { vault, path, token } = await link();
    const browser = new Browser(vault);
    const send = (password: string) => submit(browser, path, { token, password, newPassword: password });
    const page = await send('short');
    expect(page.status).toBe(400);
    expect(page.text).toMatch(/<p>The (new )?password must have at least 12 characters\.<\/p>/);
    expect(page.text).toContain(token);
    expect((await send('')).text).toMatch(/The (new )?password must not be empty\./);
    expect((await send(NEXT_PASSWORD)).status).toBe(200);
  });
});

describe('setting a new password on the page', () => {
  it('I4 ends every session, opens none, and forgets the one in this browser', async () => {
    const { vault, workspaceId, token, path } = await resetLink();
    const browser = await loggedIn(vault, EMAIL);
    const cookies = browser.cookieHeader();
    const done = await submit(browser, path, { token, newPassword: NEXT_PASSWORD });
    expect(done.text).toContain('You were logged out everywhere. Log in with the new password.');
    expect([...browser.cookies.keys()]).toEqual(['__Host-lockzero_device']);
    const old = await new Browser(vault).get('/auth/session', { headers: { Cookie: cookies } });
    expect(old.status).toBe(401);
    expect((await new Browser(vault).logIn(EMAIL, NEXT_PASSWORD)).status).toBe(200);
    expect(rowsOf(vault, workspaceId).map(({ action }) => action)).toContain('user.password_reset');
  });
});

describe('accepting an invitation on the page', () => {
  it('makes a member, who logs in next', async () => {
    const { vault, path, token } = await invitationLink();
    const done = await submit(new Browser(vault), path, { token, password: NEXT_PASSWORD });
    expect(done.status).toBe(200);
    expect(done.text).toContain('<h1>You are a member now</h1>');
    expect(done.cookies).toBeUndefined();
    expect((await new Browser(vault).logIn(INVITED, NEXT_PASSWORD)).status).toBe(200);
  });

  it("wants an account's own password where there is an account", async () => {
    const { vault, path, token } = await invitationLink();
    await addPerson(vault, await addWorkspace(vault), { email: INVITED, role: 'viewer' });
    const wrong = await submit(new Browser(vault), path, { token, password: NEXT_PASSWORD });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('action="accept-invitation"');
    expect((await submit(new Browser(vault), path, { token, password: PASSWORD })).status).toBe(200);
  });
});
