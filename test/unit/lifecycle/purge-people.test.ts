import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { emailId, userEmailKind, userKind } from '../../../core/identity/user.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { purgeDeployment } from '../../../core/lifecycle/purge-deployment.ts';
import { purgePeople } from '../../../core/lifecycle/purge-people.ts';
import { DEPARTED_MS } from '../../../core/members/departed-user.ts';
import { removeMember } from '../../../core/members/remove-member.ts';
import { addUserWorkspace } from '../../../core/members/user-workspaces.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { deleteWorkspace } from '../../../core/workspaces/delete-workspace.ts';
import { setUp } from '../../../core/workspaces/set-up.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { CALLER, callerWith, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { accept, acme, invited, OLGA, person } from '../members/acme.ts';
import { purgeParts, removedBy } from './removed.ts';

const DAY = 24 * 60 * 60_000;
const NED = 'ned@example.com';

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await acme());
});
afterEach(async () => {
  vault.tables.faults = async () => 'none';
  vault.tables.answers = async () => undefined;
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const purge = () => purgePeople(purgeParts(vault));
const account = (id: string) => vault.store.get(userKind, PLATFORM_WORKSPACE, id);
const leave = (id: string, from = workspaceId) =>
  removeMember(vault, callerWith({ workspaceId: from, role: 'owner' }), id);
const join = (email = NED) => addPerson(vault, workspaceId, { email, role: 'viewer' });

it('an account goes 30 days after its person left the last workspace, and the address is free again', async () => {
  const { id } = await join();
  await leave(id);
  vault.clock.advance(DEPARTED_MS);
  expect(await purge()).toBe(0);
  vault.clock.advance(1);
  expect(await removedBy(vault, purge)).toEqual(['departedUser', 'user', 'userEmail']);
  expect(await vault.store.get(userEmailKind, PLATFORM_WORKSPACE, emailId(NED))).toBeUndefined();
  expect(rowsOf(vault, PLATFORM_WORKSPACE).at(-1)).toMatchObject({
    action: 'user.purged',
    actor: { type: 'system', id: 'purge' },
    entity: { type: 'user', id },
  });
  expect((await new Browser(vault).logIn(NED)).status).toBe(401);
  const olga = await loggedIn(vault, OLGA, { steppedUp: true });
  expect((await accept(vault, await invited(vault, olga, NED))).status).toBe(201);
  expect((await person(vault, NED)).id).not.toBe(id);
});

it('takes the second factor along', async () => {
  const { id } = await join();
  const ned = await loggedIn(vault, NED, { steppedUp: true });
  expect((await ned.post('/auth/mfa/totp')).status).toBeLessThan(300);
  await leave(id);
  vault.clock.advance(DEPARTED_MS + 1);
  expect(await removedBy(vault, purge)).toEqual(['departedUser', 'mfa', 'user', 'userEmail']);
});

it('whoever has another workspace, or is in one again, stays', async () => {
  const other = await addWorkspace(vault);
  const ned = await join();
  await addPerson(vault, other, { email: NED, role: 'viewer' });
  await leave(ned.id);
  await leave(ned.id, other);
  vault.clock.advance(20 * DAY);
  await join();
  vault.clock.advance(20 * DAY);
  expect(await purge()).toBe(0);
  // Left again: the days count from then.
  await leave(ned.id);
  vault.clock.advance(DEPARTED_MS);
  expect(await purge()).toBe(0);
  vault.clock.advance(1);
  expect(await purge()).toBe(1);
});

it('an entry that leads nowhere is taken off first, and the days begin anew', async () => {
  const { id } = await join();
  await leave(id);
  vault.clock.advance(20 * DAY);
  // An invitation that was accepted half.
  await addUserWorkspace(vault, id, workspaceId, systemOrigin(workspaceId, 'test'));
  vault.clock.advance(20 * DAY);
  expect(await purge()).toBe(0);
  expect((await account(id))?.workspaceIds).toEqual([]);
  vault.clock.advance(DEPARTED_MS + 1);
  expect(await purge()).toBe(1);
});

it('who is invited back at that very moment keeps their account, or gets a new one', async () => {
  const { id } = await join();
  await leave(id);
  vault.clock.advance(DEPARTED_MS + 1);
  let isFirst = true;
  vault.tables.answers = async ({ name }) => {
    if (name !== 'store.getMany' || !isFirst) return;
    isFirst = false;
    const olga = await loggedIn(vault, OLGA, { steppedUp: true });
    expect((await accept(vault, await invited(vault, olga, NED))).status).toBe(201);
  };
  expect(await purge()).toBe(0);
  expect((await account(id))?.workspaceIds).toEqual([workspaceId]);
  expect((await loggedIn(vault, NED)).csrfToken).toBeDefined();
});

it('an owner whom the operator recovers at that very moment can enter', async () => {
  const { id } = await join();
  await leave(id);
  vault.clock.advance(DEPARTED_MS + 1);
  const parts = { ...vault, setupToken: async () => 'a fresh token' };
  const input = { setupToken: 'a fresh token', workspaceName: '', email: NED, password: PASSWORD };
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    // Their account has the workspace on its list by now, and they are no member yet.
    if (appends === 2) await purge();
    return 'none';
  };
  await expect(setUp(parts, input, CALLER)).rejects.toMatchObject({ code: 'concurrent_change' });
  vault.tables.faults = async () => 'none';
  expect((await setUp(parts, input, CALLER)).recovered).toBe(true);
  vault.clock.advance(DEPARTED_MS + 1);
  expect(await purge()).toBe(0);
  expect((await loggedIn(vault, NED)).csrfToken).toBeDefined();
});

it.each(['before', 'after'] as const)(
  'a commit that is lost %s it took effect is made up for',
  async (fault) => {
    const { id } = await join();
    await leave(id);
    vault.clock.advance(DEPARTED_MS + 1);
    vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? fault : 'none');
    await purge().catch(() => undefined);
    vault.tables.faults = async () => 'none';
    await purge();
    expect(await account(id)).toBeUndefined();
  },
);

it('the whole purge ends what a deleted workspace held, its people’s accounts 30 days after it', async () => {
  const other = await addWorkspace(vault);
  const { id } = await addPerson(vault, other, { email: NED, role: 'viewer' });
  const ended = { secrets: 0, keys: 0, leftovers: 0, people: 0, failures: [] };
  await deleteWorkspace(vault, callerWith({ workspaceId: other, role: 'owner' }));
  expect(await purgeDeployment(purgeParts(vault))).toEqual(ended);
  vault.clock.advance(DEPARTED_MS + 1);
  expect(await purgeDeployment(purgeParts(vault))).toEqual({ ...ended, leftovers: 1, people: 1 });
  expect(await account(id)).toBeUndefined();
  expect(await purgeDeployment(purgeParts(vault))).toEqual(ended);
  expect(rowsOf(vault, other).at(-1)?.action).toBe('workspace.purged');
});

it('a purge without time begins nothing, and the next one does it', async () => {
  const context = callerWith({ workspaceId, role: 'owner' });
  const { id } = await createSecret(vault, context, { namespace: 'prod', name: 'old', value: 'v' });
  await deleteSecret(vault, context, id);
  const ned = await join();
  await leave(ned.id);
  vault.clock.advance(DEPARTED_MS + 1);
  const nothing = { secrets: 0, keys: 0, leftovers: 0, people: 0, failures: [] };
  expect(await purgeDeployment(purgeParts(vault, () => false))).toEqual(nothing);
  expect(await purgeDeployment(purgeParts(vault))).toEqual({ ...nothing, secrets: 1, people: 1 });
});

it('a workspace that fails keeps no other from its turn', async () => {
  const other = await addWorkspace(vault);
  let lists = 0;
  vault.tables.faults = async ({ name }) => {
    if (name === 'store.list') lists += 1;
    // The first lists the workspaces; the next ones belong to the first workspace.
    return name === 'store.list' && lists === 2 ? 'before' : 'none';
  };
  const { failures } = await purgeDeployment(purgeParts(vault));
  expect(failures).toEqual([
    { workspaceId: expect.any(String), error: expect.objectContaining({ code: 'unavailable' }) },
  ]);
  expect([workspaceId, other]).toContain(failures[0]?.workspaceId);
});
