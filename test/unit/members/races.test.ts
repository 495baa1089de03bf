import type { UserPrincipal } from '../../../core/access/principal.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { changeRole } from '../../../core/members/change-role.ts';
import { removeMember } from '../../../core/members/remove-member.ts';
import { tidyUserWorkspaces } from '../../../core/members/user-workspaces.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { CALLER, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { accept, acme, invited, OLGA, person } from './acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerId: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerId } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';

/** A request of an owner who was authenticated a moment ago. */
function ownerContext(id: string) {
  const principal: UserPrincipal = {
    type: 'user',
    id,
    workspaceId,
    role: 'owner',
    namespaces: ['*'],
    sessionId: 'ses_test',
    steppedUp: true,
  };
  return { principal, ...CALLER };
}

async function owners(): Promise<readonly string[] | undefined> {
  return (await vault.store.get(workspaceKind, workspaceId, workspaceId))?.owners;
}

/** Before the append that comes as number `count` from now on takes effect, something else happens first. */
function beforeAppend(count: number, work: () => Promise<unknown>): void {
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    if (appends === count) await work();
    return 'none';
  };
}

it.each(['one instance', 'two instances'])(
  'of two owners who demote each other, one remains: %s',
  async (where) => {
    const { id: nedId } = await addPerson(vault, workspaceId, { email: NED, role: 'owner' });
    const other = where === 'one instance' ? vault : memoryVault(vault);
    const outcomes = await Promise.allSettled([
      changeRole(vault, ownerContext(ownerId), { userId: nedId, role: 'admin' }),
      changeRole(other, ownerContext(nedId), { userId: ownerId, role: 'admin' }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'last_owner' },
    });
    expect(await owners()).toHaveLength(1);
    expect(await brokenWorkspaces(vault)).toEqual({});
  },
);

it('of five owners who leave at once, one remains', async () => {
  const ids = [ownerId];
  for (let count = 0; count < 4; count += 1)
    ids.push((await addPerson(vault, workspaceId, { email: `o${count}@example.com`, role: 'owner' })).id);
  const outcomes = await Promise.allSettled(ids.map((id) => removeMember(vault, ownerContext(id), id)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'last_owner' },
  });
  expect(await owners()).toHaveLength(1);
  expect(await brokenWorkspaces(vault)).toEqual({});
});

it('somebody who joins again while their list is being tidied keeps the entry', async () => {
  const { id } = await addPerson(vault, workspaceId, { email: NED, role: 'operator' });
  // The membership goes with the first append, the entry of the list with the second.
  const other = { ...memoryVault(vault), mail: vault.mail };
  let answer: { readonly status: number } | undefined;
  beforeAppend(2, async () => {
    answer = await accept(other, await invited(other, olga, NED));
  });
  await removeMember(vault, ownerContext(ownerId), id);
  expect(answer?.status).toBe(201);
  expect((await person(vault, NED)).workspaceIds).toEqual([workspaceId]);
  expect((await loggedIn(vault, NED)).csrfToken).toBeDefined();
});

it('a list that is tidied while somebody joins again gets the entry back before they are in', async () => {
  const { id } = await addPerson(vault, workspaceId, { email: NED, role: 'operator' });
  // Their list could not be tidied when they left.
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name === 'ledger.append') appends += 1;
    return name === 'ledger.append' && appends > 1 ? 'before' : 'none';
  };
  await removeMember(vault, ownerContext(ownerId), id);
  vault.tables.faults = async () => 'none';
  const token = await invited(vault, await loggedIn(vault, OLGA, { steppedUp: true }), NED);
  const other = memoryVault(vault);
  beforeAppend(1, () => tidyUserWorkspaces(other, id, workspaceId, systemOrigin(workspaceId)));
  expect((await accept(vault, token)).status).toBe(201);
  expect((await person(vault, NED)).workspaceIds).toEqual([workspaceId]);
  expect(await brokenWorkspaces(vault)).toEqual({});
});
