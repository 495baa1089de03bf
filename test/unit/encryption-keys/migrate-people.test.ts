import type { Action } from '../../../core/audit/event.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { sealValue } from '../../../core/crypto/envelope.ts';
import { keyMigrationKind } from '../../../core/encryption-keys/key-migration.ts';
import { migrateWorkspace } from '../../../core/encryption-keys/migrate-workspace.ts';
import { startedMigration } from '../../../core/encryption-keys/start-migration.ts';
import { type Mfa, mfaKind, totpName } from '../../../core/identity/mfa.ts';
import { matchTotp } from '../../../core/identity/second-factor.ts';
import { type Change, create } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { departedUserKind } from '../../../core/members/departed-user.ts';
import { removeMember } from '../../../core/members/remove-member.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { CALLER, callerWith, rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { type Migrating, migrating, SOME_TIME } from './migrating.ts';

const NEXT = 'arn:aws:kms:us-east-1:000000000000:key/next';

let world: Migrating;
beforeEach(async () => {
  world = await migrating();
});
afterEach(async () => {
  expect(await brokenWorkspaces(world.vault)).toEqual({});
});

async function person(email: string, workspaceId = world.workspaceId): Promise<string> {
  return (await addPerson(world.vault, workspaceId, { email, role: 'viewer' })).id;
}

async function enroll(userId: string, fields: Partial<Mfa> = {}): Promise<void> {
  const { vault } = world;
  const secret = Buffer.alloc(20, 3);
  const sealed = await sealValue(vault, VAULT_KEY_ARN, totpName(userId, 1), secret);
  const at = timestamp(vault.clock.now());
  const times = { startedAt: at, confirmedAt: at, lastStep: 0, backupCodes: [] };
  const content = { workspaceId: PLATFORM_WORKSPACE, id: userId, version: 1, ...sealed, ...times, ...fields };
  await commit('user.mfa_enabled', create(mfaKind, content));
}

async function commit(action: Action, change: Change): Promise<void> {
  await world.vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE), [
    { action, entity: { type: 'user', id: change.entity.id }, result: 'success', changes: [change] },
  ]);
}

async function start(): Promise<void> {
  world.deploymentKeys = { own: NEXT, values: NEXT, allOwn: [NEXT, VAULT_KEY_ARN] };
  const existing = await world.vault.store.get(keyMigrationKind, PLATFORM_WORKSPACE, PLATFORM_WORKSPACE);
  const at = timestamp(world.vault.clock.now());
  const wanted = { workspaceId: PLATFORM_WORKSPACE, keyArn: NEXT, reason: 'deployment', at } as const;
  await commit('encryption_key.migration_started', startedMigration(existing, wanted));
}

const run = () => migrateWorkspace(world.parts(), PLATFORM_WORKSPACE, () => true);
const keyOf = async (userId: string) =>
  (await world.vault.store.get(mfaKind, PLATFORM_WORKSPACE, userId))?.keyArn;

async function finish(): Promise<number> {
  let moved = 0;
  for (let round = 0; round < 20; round += 1) {
    const outcome = await run();
    moved += outcome.moved;
    if (outcome.status === 'done') return moved;
    world.vault.clock.advance(SOME_TIME);
  }
  throw new Error('The migration does not come to an end.');
}

it('moves the second factors of members and of people who left, each once, and they go on working', async () => {
  const other = await addWorkspace(world.vault);
  const ada = await person('ada@example.com');
  await person('ada@example.com', other);
  const bob = await person('bob@example.com', other);
  const eve = await person('eve@example.com', other);
  const none = await person('none@example.com', other);
  for (const id of [ada, bob, eve]) await enroll(id);
  await removeMember(world.vault, callerWith({ workspaceId: other, role: 'owner' }), eve);
  await start();
  expect(await finish()).toBe(3);
  expect(await Promise.all([ada, bob, eve, none].map(keyOf))).toEqual([NEXT, NEXT, NEXT, undefined]);
  const mfa = await world.vault.store.get(mfaKind, PLATFORM_WORKSPACE, bob);
  if (mfa === undefined) throw new Error('It was moved.');
  // No code of now, but a secret that opens.
  expect(await matchTotp(world.vault, mfa, other, '000000', CALLER)).toBeUndefined();
  const told = rowsOf(world.vault, PLATFORM_WORKSPACE).find(({ detail }) => detail['count'] === '3');
  expect(told?.changes.map(({ kind }) => kind)).toEqual(['mfa', 'mfa', 'mfa', 'keyMigration']);
});

it('leaves a factor alone that seals nothing', async () => {
  const ada = await person('ada@example.com');
  await enroll(ada, { wrappedKey: new Uint8Array(), keyArn: '-' });
  await start();
  expect(await finish()).toBe(0);
  expect(await keyOf(ada)).toBe('-');
});

it('finds the factor of somebody who is in no workspace and has no mark of having left', async () => {
  const ada = await person('ada@example.com');
  await enroll(ada);
  // They are out, and the vault fails before it says so of their account.
  let appended = 0;
  world.vault.tables.faults = async ({ name }) =>
    name === 'ledger.append' && ++appended > 1 ? 'before' : 'none';
  await removeMember(world.vault, callerWith({ role: 'owner', workspaceId: world.workspaceId }), ada);
  world.vault.tables.faults = async () => 'none';
  expect(await world.vault.store.get(departedUserKind, PLATFORM_WORKSPACE, ada)).toBeUndefined();
  await start();
  expect(await finish()).toBe(1);
  expect(await keyOf(ada)).toBe(NEXT);
});

it('is not held up by people who come to workspaces all the while', async () => {
  const other = await addWorkspace(world.vault);
  await enroll(await person('ada@example.com'));
  await start();
  for (let round = 0; (await run()).status !== 'done'; round += 1) {
    expect(round).toBeLessThan(20);
    await person(`p${round}@example.com`, other);
    world.vault.clock.advance(SOME_TIME);
  }
  expect(await world.migration(PLATFORM_WORKSPACE)).toMatchObject({ moved: 1 });
});

it('goes on in the list where a run had to stop', async () => {
  for (let count = 0; count < 110; count += 1) await enroll(`person-${String(count).padStart(3, '0')}`);
  await start();
  let asked = 0;
  const first = await migrateWorkspace(world.parts(), PLATFORM_WORKSPACE, () => ++asked < 2);
  expect(first).toEqual({ status: 'moving', moved: 100 });
  const { position } = await world.migration(PLATFORM_WORKSPACE);
  expect(position.after).toBeDefined();
  expect(await finish()).toBe(10);
});
