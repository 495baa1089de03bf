import { type TOTP, URI } from 'otpauth';
import type { Role } from '../../../core/access/role.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import type { SetUpResult } from '../../../core/workspaces/set-up.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, rowsOf, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { verified } from '../../support/verified.ts';
import { freshAddress } from '../../support/world.ts';

const EMAIL = 'ada@example.com';
const NEXT_PASSWORD = 'Another-Horse-8-Staple';

let vault: MemoryVault;
/** What Secrets Manager holds now. */
let token: string;
beforeEach(() => {
  vault = memoryVault();
  token = SETUP_TOKEN;
});

const stored = (kind: string, at = vault) =>
  [...at.tables.entities.values()].flatMap(({ entity }) => (entity.kind === kind ? [entity] : []));

/** Each from an address of its own: what limits set-up is tested elsewhere. */
async function post(body: { readonly [name: string]: string } = {}, at = vault) {
  const json = { setupToken: token, workspaceName: 'Acme', email: EMAIL, password: PASSWORD, ...body };
  const instance = { ...at, setupToken: async () => token };
  return callApi(instance, { method: 'POST', path: '/setup', json, ip: freshAddress() });
}

async function roleAt(browser: Browser): Promise<Role | undefined> {
  const { body } = await browser.get('/auth/session');
  return (body['workspace'] as { role: Role } | undefined)?.role;
}

/** As a new process does, after the operator has rotated the token. */
function rotateToken(): void {
  token = `rotated ${token}`;
}

describe('set-up with an address and a password', () => {
  it('makes an owner who can log in, besides the owner key', async () => {
    const response = await post();
    expect(response.status).toBe(201);
    const { workspaceId, owner } = response.json as { workspaceId: string; owner: { id: string } };
    expect(response.json).toMatchObject({
      recovered: false,
      owner: { email: EMAIL },
      apiKey: { role: 'owner', key: expect.stringMatching(/^lz_/) },
    });
    expect(stored('workspace')).toMatchObject([{ id: workspaceId, owners: [owner.id] }]);
    expect(stored('membership')).toMatchObject([{ workspaceId, id: owner.id, role: 'owner' }]);
    expect(await roleAt(await loggedIn(vault, EMAIL))).toBe('owner');
  });

  it('is recorded with the account in the platform’s trail and the rest in the workspace’s, which verify', async () => {
    const { workspaceId } = (await post()).json as { workspaceId: string };
    expect(rowsOf(vault, PLATFORM_WORKSPACE)).toContainEqual(
      expect.objectContaining({ action: 'user.created', actor: { type: 'system', id: 'setup' } }),
    );
    expect(rowsOf(vault, workspaceId).map(({ action }) => action)).toEqual([
      'workspace.created',
      'lane.opened',
      'api_key.created',
    ]);
    expect((await verified(vault)).map(({ ok }) => ok)).toEqual([true, true]);
  });

  it('keeps the password nowhere, nor in a row', async () => {
    const { workspaceId } = (await post()).json as { workspaceId: string };
    const rows = [rowsOf(vault, PLATFORM_WORKSPACE), rowsOf(vault, workspaceId)];
    expect(JSON.stringify([[...vault.tables.entities.values()], rows])).not.toContain(PASSWORD);
  });

  it.each([
    ['too short', 'Short-7-pass'.slice(0, 11)],
    ['without a digit', 'Correct-Horse-Battery'],
    ['with the name of the workspace', 'Acme-Horse-7-Battery'],
    ['known from a breach', 'Breached-Horse-7-Battery'],
  ])('refuses a weak password (%s), and the token stays alive', async (_, password) => {
    vault.breached.breached.push('Breached-Horse-7-Battery');
    const refused = await post({ password });
    expect(problemCode(refused)).toBe('invalid_request');
    expect(JSON.parse(refused.text ?? '')).toMatchObject({ errors: [{ path: 'password' }] });
    expect([...stored('workspace'), ...stored('user'), ...stored('usedSetupToken')]).toEqual([]);
    expect((await post()).status).toBe(201);
  });

  it('waits while nobody can tell whether the password is a breached one, and the token stays alive', async () => {
    vault.breached.isDown = true;
    expect(problemCode(await post())).toBe('breach_check_unavailable');
    vault.breached.isDown = false;
    expect((await post()).status).toBe(201);
  });

  it.each(['email', 'password'])('wants both or none: only %s is refused', async (field) => {
    const given = { email: EMAIL, password: PASSWORD }[field] ?? '';
    const json = { setupToken: token, workspaceName: 'Acme', [field]: given };
    expect(problemCode(await callApi(vault, { method: 'POST', path: '/setup', json }))).toBe(
      'invalid_request',
    );
    expect((await post()).status).toBe(201);
  });

  it('gives a wrong token no hint of the account: nothing is hashed, looked up or made', async () => {
    const hash = jest.spyOn(vault.hasher, 'hash');
    expect(problemCode(await post({ setupToken: 'wrong' }))).toBe('setup_refused');
    expect(hash).not.toHaveBeenCalled();
    expect(stored('user')).toEqual([]);
    hash.mockRestore();
  });
});

describe('a recovery with an address and a password', () => {
  it('makes an account for an address that has none, and an owner of it', async () => {
    const first = (await post({ email: 'grace@example.com' })).json as SetUpResult;
    rotateToken();
    expect((await post()).json).toMatchObject({ workspaceId: first.workspaceId, recovered: true });
    expect(await roleAt(await loggedIn(vault, EMAIL))).toBe('owner');
    expect(await roleAt(await loggedIn(vault, 'grace@example.com'))).toBe('owner');
    expect(stored('workspace')).toMatchObject([{ owners: [expect.any(String), expect.any(String)] }]);
  });

  it('makes an owner of somebody who was less', async () => {
    const { workspaceId } = (await post({ email: 'grace@example.com' })).json as SetUpResult;
    const { id } = await addPerson(vault, workspaceId, { email: EMAIL, role: 'viewer' });
    rotateToken();
    expect((await post({ password: NEXT_PASSWORD })).status).toBe(201);
    expect(stored('membership')).toContainEqual(expect.objectContaining({ id, role: 'owner' }));
    expect(stored('user')).toHaveLength(2);
    const browser = new Browser(vault);
    await browser.logIn(EMAIL, NEXT_PASSWORD);
    expect(await roleAt(browser)).toBe('owner');
  });

  it('replaces the password, switches MFA off, and ends every session, elsewhere too', async () => {
    await post();
    const browser = await loggedIn(vault, EMAIL, { steppedUp: true });
    await switchMfaOn(browser);
    expect((await new Browser(vault).logIn(EMAIL)).body).toMatchObject({ mfaRequired: true });

    rotateToken();
    expect((await post({ password: NEXT_PASSWORD })).status).toBe(201);
    expect(problemCode(await browser.get('/auth/session'))).toBe('unauthenticated');
    expect(problemCode(await browser.post('/auth/refresh'))).toBe('unauthenticated');
    expect(stored('mfa')).toEqual([]);
    expect(problemCode(await new Browser(vault).logIn(EMAIL))).toBe('login_refused');
    const fresh = new Browser(vault);
    expect((await fresh.logIn(EMAIL, NEXT_PASSWORD)).status).toBe(200);
    expect(await roleAt(fresh)).toBe('owner');
    expect(rowsOf(vault, PLATFORM_WORKSPACE).at(-1)).toMatchObject({ action: 'user.recovered' });
    expect((await verified(vault)).every(({ ok }) => ok)).toBe(true);
  });

  it('without an address leaves people as they are', async () => {
    await post();
    const browser = await loggedIn(vault, EMAIL);
    rotateToken();
    const json = { setupToken: token, workspaceName: 'Ignored' };
    const instance = { ...vault, setupToken: async () => token };
    const response = await callApi(instance, { method: 'POST', path: '/setup', json });
    expect(response.json).toMatchObject({ recovered: true });
    expect(response.json).not.toHaveProperty('owner');
    expect(await roleAt(browser)).toBe('owner');
  });

  async function switchMfaOn(browser: Browser): Promise<void> {
    const { body } = await browser.post('/auth/mfa/totp');
    const totp = URI.parse(String(body['uri'])) as TOTP;
    const code = totp.generate({ timestamp: vault.clock.now() });
    expect((await browser.post('/auth/mfa/totp/confirm', { code })).status).toBe(200);
  }
});

describe('set-up that is interrupted', () => {
  /** Ends the process at every call of a port in turn, and then has the operator repeat the very same request. */
  it('at any call can be repeated as it was until it is done, and makes one owner', async () => {
    let dead = true;
    for (let at = 1; dead; at += 1) {
      const world = memoryVault();
      let calls = 0;
      dead = false;
      world.tables.answers = async () => {
        calls += 1;
        dead ||= calls === at;
        if (dead) throw new Error('The process is gone.');
      };
      await post({}, world);
      world.tables.answers = async () => undefined;
      const wasDone = stored('usedSetupToken', world).length === 1;
      const { status } = await post({}, memoryVault(world));
      expect({ at, status }).toEqual({ at, status: wasDone ? 401 : 201 });
      expect({ at, kinds: kindsIn(world) }).toEqual({ at, kinds: ONE_OF_EACH });
      expect(await roleAt(await loggedIn(world, EMAIL))).toBe('owner');
    }
  });

  it('between the account and the workspace is repeated with the same password', async () => {
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends === 1 ? 'none' : 'before';
    };
    expect(problemCode(await post())).toBe('unavailable');
    expect([stored('user').length, stored('workspace').length]).toEqual([1, 0]);
    vault.tables.faults = async () => 'none';
    expect((await post()).status).toBe(201);
    expect(kindsIn(vault)).toEqual(ONE_OF_EACH);
    expect(await roleAt(await loggedIn(vault, EMAIL))).toBe('owner');
  });

  it('leaves its token good for the same address alone', async () => {
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends === 1 ? 'none' : 'before';
    };
    expect(problemCode(await post())).toBe('unavailable');
    vault.tables.faults = async () => 'none';
    expect(problemCode(await post({ email: 'somebody-else@example.com' }))).toBe('setup_refused');
    expect(stored('user')).toHaveLength(1);
    expect((await post()).status).toBe(201);
  });

  it('by another with the same token and address: one wins, and the other finds the token dead', async () => {
    const other = memoryVault(vault);
    const answers = await Promise.all([post(), post({}, other)]);
    expect(answers.map(problemCode).toSorted()).toEqual(['setup_refused', undefined]);
    expect(problemCode(await post({}, other))).toBe('setup_refused');
    expect(kindsIn(vault)).toEqual(ONE_OF_EACH);
    expect(await roleAt(await loggedIn(vault, EMAIL))).toBe('owner');
  });

  const ONE_OF_EACH = { user: 1, userEmail: 1, workspace: 1, membership: 1, apiKey: 1, usedSetupToken: 1 };

  function kindsIn(at: MemoryVault) {
    return Object.fromEntries(Object.keys(ONE_OF_EACH).map((kind) => [kind, stored(kind, at).length]));
  }
});
