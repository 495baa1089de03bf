import { createPasswordHasher } from '../../../core/identity/passwords.ts';
import type { User } from '../../../core/identity/user.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import {
  ADA,
  interleave,
  MINUTE,
  OTHER_PASSWORD,
  peopleWorld,
  readUser,
  reasonsOf,
  setPolicy,
} from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let ada: User;
beforeEach(async () => {
  ({ vault, workspaceId, ada } = await peopleWorld());
});

/** Changes Ada's password in a session of its own, in a minute of its own. */
async function change(currentPassword: string, newPassword: string) {
  vault.clock.advance(MINUTE);
  const browser = new Browser(vault);
  await browser.logIn(ADA, currentPassword);
  return browser.post('/auth/password', { currentPassword, newPassword });
}

async function canLogIn(password: string, email = ADA): Promise<boolean> {
  vault.clock.advance(MINUTE);
  return (await new Browser(vault).logIn(email, password)).status === 200;
}

describe('I1: passwords have 12 characters at least, upper, lower, digit and special', () => {
  it.each([
    ['Aa1!xxxxxxx', 'must have at least 12 characters'],
    ['aa1!xxxxxxxx', 'must contain an upper-case letter'],
    ['AA1!XXXXXXXX', 'must contain a lower-case letter'],
    ['Aaa!xxxxxxxx', 'must contain a digit'],
    ['Aa11xxxxxxxx', expect.stringContaining('must contain a special character')],
  ])('%s is refused', async (password, reason) => {
    const answer = await change(PASSWORD, password);
    expect(answer.status).toBe(400);
    expect(reasonsOf(answer)).toEqual([reason]);
    expect(await canLogIn(PASSWORD)).toBe(true);
  });

  it('12 such characters are enough', async () => {
    expect((await change(PASSWORD, 'Aa1!xxxxxxxx')).status).toBe(204);
    expect(await canLogIn('Aa1!xxxxxxxx')).toBe(true);
    expect(await canLogIn(PASSWORD)).toBe(false);
  });

  it('all faults are told at once, none with the password', async () => {
    const answer = await change(PASSWORD, 'zzz');
    expect(reasonsOf(answer)).toHaveLength(4);
    expect(JSON.stringify(answer.body)).not.toContain('zzz');
  });
});

describe('I1: the second profile has 15 characters at least and no rules of composition', () => {
  beforeEach(() => setPolicy(vault, workspaceId, { passwordProfile: 'length' }));

  it('14 are refused, 15 of one class are enough', async () => {
    expect(reasonsOf(await change(PASSWORD, 'q'.repeat(14)))).toEqual(['must have at least 15 characters']);
    expect((await change(PASSWORD, 'q'.repeat(15))).status).toBe(204);
  });

  it('who is in workspaces of both profiles has to satisfy both', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    expect(reasonsOf(await change(PASSWORD, 'Aa1!xxxxxxxx'))).toEqual(['must have at least 15 characters']);
    expect(reasonsOf(await change(PASSWORD, 'q'.repeat(15)))).toHaveLength(3);
    expect((await change(PASSWORD, 'Aa1!xxxxxxxxxxx')).status).toBe(204);
  });

  it('a password that a raised policy refuses opens sessions in which it can only be changed', async () => {
    await setPolicy(vault, workspaceId, { passwordProfile: 'composition' });
    expect((await change(PASSWORD, 'Aa1!xxxxxxxx')).status).toBe(204);
    await setPolicy(vault, workspaceId, { passwordProfile: 'length' });
    const browser = new Browser(vault);
    expect((await browser.logIn(ADA, 'Aa1!xxxxxxxx')).body['owes']).toBe('password_change');
    expect(problemCode(await browser.get('/secrets'))).toBe('password_change_required');
    const json = { currentPassword: 'Aa1!xxxxxxxx', newPassword: OTHER_PASSWORD };
    expect((await browser.post('/auth/password', json)).status).toBe(204);
    expect((await (await loggedInWith(OTHER_PASSWORD)).get('/secrets')).status).toBe(200);
  });
});

async function loggedInWith(password: string): Promise<Browser> {
  const browser = new Browser(vault);
  await browser.logIn(ADA, password);
  return browser;
}

it.each(['Lockzero-is-Fine-1', 'My-Acme-Secret-12', 'Who-Is-Lovelace-77'])(
  'I1: %s contains a word that an attacker tries first, and is refused',
  async (password) => {
    const email = 'lovelace@example.com';
    await addPerson(vault, workspaceId, { email, role: 'viewer' });
    const browser = await loggedIn(vault, email);
    const answer = await browser.post('/auth/password', {
      currentPassword: PASSWORD,
      newPassword: password,
    });
    expect(reasonsOf(answer)).toEqual([expect.stringContaining('must not contain the name')]);
  },
);

it('I1: the last 12 passwords cannot be used again, the 13th back can', async () => {
  const passwords = [PASSWORD, ...Array.from({ length: 12 }, (_, index) => `Horse-Number-${index}-Runs`)];
  for (const [index, next] of passwords.slice(1).entries()) {
    expect((await change(passwords[index] ?? '', next)).status).toBe(204);
  }
  const current = passwords.at(-1) ?? '';
  for (const earlier of passwords.slice(1)) {
    expect(reasonsOf(await change(current, earlier))).toEqual(['must not be one of your last 12 passwords']);
  }
  expect((await change(current, PASSWORD)).status).toBe(204);
  expect((await readUser(vault, ada)).passwordHistory).toHaveLength(12);
}, 60_000);

describe('I1: 1,024 characters at most, none cut off, none trimmed', () => {
  const longest = `Aa1!${'x'.repeat(1_020)}`;

  it('1,024 are kept to the last one', async () => {
    expect((await change(PASSWORD, longest)).status).toBe(204);
    expect(await canLogIn(`${longest.slice(0, -1)}y`)).toBe(false);
    expect(await canLogIn(longest.slice(0, -1))).toBe(false);
    expect(await canLogIn(`${longest}x`)).toBe(false);
    expect(await canLogIn(longest)).toBe(true);
  });

  it('1,025 are refused, not cut', async () => {
    const answer = await change(PASSWORD, `${longest}x`);
    expect(answer.status).toBe(400);
    expect(reasonsOf(answer)).toEqual(['must have at most 1,024 characters']);
  });

  it('characters are counted, not units of UTF-16', async () => {
    expect((await change(PASSWORD, `Aa1!${'🔒'.repeat(1_020)}`)).status).toBe(204);
    expect((await change(`Aa1!${'🔒'.repeat(1_020)}`, `Aa1!${'🔒'.repeat(1_021)}`)).status).toBe(400);
  });

  it('spaces at the ends belong to it, and so does the case of letters', async () => {
    const spaced = '  Aa1!-spaced-out ';
    expect((await change(PASSWORD, spaced)).status).toBe(204);
    for (const other of [spaced.trim(), spaced.trimEnd(), spaced.trimStart(), spaced.toLowerCase()]) {
      expect(await canLogIn(other)).toBe(false);
    }
    expect(await canLogIn(spaced)).toBe(true);
  });
});

it('I1: Argon2id with a salt per user: the same password has another hash with everybody', async () => {
  const bob = await addPerson(vault, workspaceId, { email: 'bob@example.com', role: 'viewer' });
  expect(ada.passwordHash).toMatch(/^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$/);
  expect(bob.passwordHash.split('$')[4]).not.toBe(ada.passwordHash.split('$')[4]);
  expect(bob.passwordHash).not.toBe(ada.passwordHash);
});

describe('I1: a hash is made anew at login when the parameters rise', () => {
  const stronger = createPasswordHasher({ memoryCost: 16, timeCost: 2, parallelism: 1 });

  beforeEach(() => {
    vault = { ...vault, hasher: stronger };
  });

  it('the password works as before, and the session that was open too', async () => {
    const earlier = await loggedIn({ ...vault, hasher: createPasswordHasher(WEAK) }, ADA);
    expect(await canLogIn(PASSWORD)).toBe(true);
    const { passwordHash, passwordHistory } = await readUser(vault, ada);
    expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=16,t=2,p=1\$/);
    expect(passwordHistory).toEqual([passwordHash]);
    expect(await canLogIn(PASSWORD)).toBe(true);
    expect((await readUser(vault, ada)).passwordHash).toBe(passwordHash);
    expect((await earlier.get('/auth/session')).status).toBe(200);
  });

  it('the history still refuses it', async () => {
    expect(await canLogIn(PASSWORD)).toBe(true);
    expect(reasonsOf(await change(PASSWORD, PASSWORD))).toEqual([
      'must not be one of your last 12 passwords',
    ]);
  });

  it('a wrong password changes nothing', async () => {
    expect(await canLogIn(OTHER_PASSWORD)).toBe(false);
    expect((await readUser(vault, ada)).passwordHash).toBe(ada.passwordHash);
  });

  it('two logins at once both succeed', async () => {
    interleave(vault);
    const answers = await Promise.all([new Browser(vault).logIn(ADA), new Browser(vault).logIn(ADA)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

const WEAK = { memoryCost: 8, timeCost: 1, parallelism: 1 } as const;
