import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { sealValue } from '../../../core/crypto/envelope.ts';
import { deploymentKeyKind } from '../../../core/encryption-keys/deployment-key.ts';
import { type KeyMigration, keyMigrationKind } from '../../../core/encryption-keys/key-migration.ts';
import { migrateDeployment } from '../../../core/encryption-keys/migrate-deployment.ts';
import { type Mfa, mfaKind, totpName } from '../../../core/identity/mfa.ts';
import { create } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { newSessionGroup } from '../../../core/members/membership.ts';
import { LOCKED_STEP } from '../../../core/restore/close-access.ts';
import type { Reconciled } from '../../../core/restore/commit-decisions.ts';
import type { KnownRows } from '../../../core/restore/decide.ts';
import { readLaneEnds } from '../../../core/restore/newest-changes.ts';
import { knownRows, reconcileWorkspace } from '../../../core/restore/reconcile-workspace.ts';
import { scanRestored } from '../../../core/restore/scan-entities.ts';
import { type Workspace, workspaceKind } from '../../../core/workspaces/workspace.ts';
import { customerKeyArn } from '../../support/memory-customer-keys.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { entityKey, type StoredEntity } from '../../support/memory-store.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { type Migrating, migrating, SOME_TIME } from '../encryption-keys/migrating.ts';

const NEXT = 'arn:aws:kms:us-east-1:000000000000:key/next';

let world: Migrating;
beforeEach(async () => {
  world = await migrating();
});

type Entities = ReadonlyMap<string, StoredEntity>;

const backup = (): Entities => new Map(world.vault.tables.entities);

/** Puts back what a backup holds, and brings it into line with the rows, all of which are there. */
async function restore(
  entities: Entities,
  isBelieved: KnownRows['isBelieved'] = () => true,
): Promise<readonly string[]> {
  const { vault, workspaceId } = world;
  vault.tables.entities.clear();
  for (const [key, stored] of entities) vault.tables.entities.set(key, stored);
  return reconcile([PLATFORM_WORKSPACE, workspaceId], isBelieved);
}

async function reconcile(
  workspaceIds: readonly string[],
  isBelieved: KnownRows['isBelieved'] = () => true,
): Promise<readonly string[]> {
  const { vault } = world;
  const reconciled: Reconciled[] = [];
  const parts = {
    ...vault,
    now: vault.clock.now(),
    dummyHash: vault.hasher.dummyHash,
    newSessionGroup: () => newSessionGroup(vault.random),
    onReconciled: (one: Reconciled) => void reconciled.push(one),
  };
  const known = new Map<string, KnownRows>();
  for (const workspaceId of workspaceIds) {
    const ends = await readLaneEnds(vault.ledger, workspaceId);
    const before = knownRows(parts, workspaceId, ends, { isBelieved, floor: undefined });
    known.set(workspaceId, (await reconcileWorkspace(parts, workspaceId, before)).rows);
  }
  const rowsOf = (workspaceId: string): KnownRows => {
    const rows = known.get(workspaceId);
    if (rows === undefined) throw new Error(`There is no workspace ${workspaceId}.`);
    return rows;
  };
  await scanRestored(parts, rowsOf, 0);
  return reconciled.map(({ kind, discord, outcome }) => `${kind} ${discord}: ${outcome}`);
}

async function finish(): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    await migrateDeployment(world.parts(), () => true);
    world.vault.clock.advance(SOME_TIME);
  }
}

const workspace = () => world.vault.store.get(workspaceKind, world.workspaceId, world.workspaceId);

it('brings back old wrappings, keeps the key that the workspace has brought since, and moves all again', async () => {
  const [id = ''] = await world.create('a', 'b');
  const before = backup();
  const key = await world.vault.newCustomerKey(world.workspaceId);
  await world.change(key);
  await world.finish();
  const told = await restore(before);
  expect(told).toEqual([
    'workspace behind: kept',
    'secretVersion behind: kept',
    'secretVersion behind: kept',
    'keyMigration gone: recreated',
  ]);
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 2 });
  expect(await world.reveal(id)).toBe('value of a');
  expect(await workspace()).toMatchObject({
    encryptionKey: { keyArn: key },
    previousKeyArns: [VAULT_KEY_ARN],
  });
  expect(await reconcile([PLATFORM_WORKSPACE, world.workspaceId])).toEqual([]);
  await finish();
  expect(world.wrappings()).toEqual({ [key]: 2 });
  expect(await world.migration()).toMatchObject({ state: 'done', keyArn: key });
  expect(await brokenWorkspaces(world.vault)).toEqual({});
});

it('forgets no earlier key that values may lie under again, even one that was given up', async () => {
  const [first, second] = await Promise.all([
    world.vault.newCustomerKey(world.workspaceId),
    world.vault.newCustomerKey(world.workspaceId),
  ]);
  await world.create('a');
  await world.change(first);
  await world.finish();
  const before = backup();
  await world.change(second);
  await world.finish();
  await world.change(VAULT_KEY_ARN);
  await restore(before);
  const restored = await workspace();
  expect(restored).not.toHaveProperty('encryptionKey');
  expect(restored?.previousKeyArns).toEqual([second, first]);
  await finish();
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 1 });
});

it('begins a migration anew that was under way, or done: its place says nothing of what came back', async () => {
  await world.create('a', 'b', 'c');
  const early = backup();
  const key = await world.vault.newCustomerKey(world.workspaceId);
  await world.change(key);
  await world.finish();
  const { workspaceId } = world;
  const late = backup();
  // Each item of a backup is as of a moment of its own.
  const mixed = new Map(
    [...late].map(([name, stored]) => [
      name,
      stored.entity.kind === 'secretVersion' ? (early.get(name) ?? stored) : stored,
    ]),
  );
  const told = await restore(mixed);
  expect(told.filter((one) => one.startsWith('keyMigration'))).toEqual(['keyMigration inconsistent: kept']);
  expect(await world.migration()).toMatchObject({ state: 'moving', pass: 1, moved: 0 });
  await finish();
  expect(world.wrappings()).toEqual({ [key]: 3 });
  expect(await brokenWorkspaces(world.vault)).toEqual({});
  expect(await world.vault.store.get(keyMigrationKind, workspaceId, workspaceId)).toMatchObject({
    state: 'done',
  });
});

describe('a backup that somebody forged', () => {
  const theirs = customerKeyArn(666);
  const rowCount = () => rowsOf(world.vault, world.workspaceId).length;
  /** As if the sealer had come no further than this row; whatever the restore itself writes comes after the rest. */
  const sealedThrough = (last: number): KnownRows['isBelieved'] => {
    const end = rowCount();
    return ({ seq }) => seq <= last || seq > end;
  };
  async function brought(): Promise<string> {
    const key = await world.vault.newCustomerKey(world.workspaceId);
    await world.create('a');
    await world.change(key);
    await world.finish();
    return key;
  }

  it('has no values moved under a key that only a row behind the last signed one speaks of', async () => {
    const key = await brought();
    const [before, sealed] = [backup(), rowCount()];
    await world.change(theirs);
    await restore(before, sealedThrough(sealed));
    expect((await workspace())?.encryptionKey?.keyArn).toBe(key);
    await finish();
    expect(world.wrappings()).toEqual({ [key]: 1 });
  });

  it('nor where the workspace itself came with that row', async () => {
    const key = await brought();
    const sealed = rowCount();
    await world.change(theirs);
    await restore(backup(), sealedThrough(sealed));
    expect(await workspace()).toMatchObject({
      encryptionKey: { keyArn: key },
      previousKeyArns: [theirs, VAULT_KEY_ARN],
    });
    await finish();
    expect(world.wrappings()).toEqual({ [key]: 1 });
  });

  it('nor where no row speaks of it at all, and the workspace never had a key of its own', async () => {
    await world.create('a');
    const { workspaceId } = world;
    const altered = { encryptionKey: { keyArn: theirs, since: '2026-01-01T00:00:00.000Z' } };
    world.alter<Workspace>(workspaceKind.name, workspaceId, (stored) => ({ ...stored, ...altered }));
    expect(await restore(backup())).toEqual(['workspace unexplained: closed']);
    expect(await workspace()).not.toHaveProperty('encryptionKey');
  });

  it('nor where it names a row that never came', async () => {
    const key = await brought();
    await world.change(theirs);
    const stolen = backup();
    const { lane, seq } =
      stolen.get(
        entityKey({ kind: workspaceKind.name, workspaceId: world.workspaceId, id: world.workspaceId }),
      )?.row ?? {};
    for (const [name, row] of world.vault.tables.rows)
      if (row.workspaceId === world.workspaceId && row.lane === lane && row.seq >= (seq ?? 0))
        world.vault.tables.rows.delete(name);
    expect(await restore(stolen)).toContain('workspace ahead: kept');
    expect((await workspace())?.encryptionKey?.keyArn).toBe(key);
  });

  it('has no migration end that never began', async () => {
    const key = await world.vault.newCustomerKey(world.workspaceId);
    await world.create('a');
    await world.change(key);
    world.alter<KeyMigration>(keyMigrationKind.name, world.workspaceId, (stored) => ({
      ...stored,
      state: 'done',
    }));
    await restore(backup());
    expect(await world.migration()).toMatchObject({ state: 'moving', pass: 1 });
    await finish();
    expect(world.wrappings()).toEqual({ [key]: 1 });
  });
});

describe('second factors', () => {
  async function enrolled(fields: Partial<Mfa>): Promise<string> {
    const { vault, workspaceId } = world;
    const { id } = await addPerson(vault, workspaceId, { email: 'ada@example.com', role: 'viewer' });
    const sealed = await sealValue(vault, VAULT_KEY_ARN, totpName(id, 1), Buffer.alloc(20, 3));
    const times = { startedAt: '2026-01-01T00:00:00.000Z', lastStep: 0, backupCodes: [] };
    const content = { workspaceId: PLATFORM_WORKSPACE, id, version: 1, ...sealed, ...times, ...fields };
    await vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE), [
      {
        action: fields.confirmedAt === undefined ? 'user.mfa_enrollment_started' : 'user.mfa_enabled',
        entity: { type: 'user', id },
        result: 'success',
        changes: [create(mfaKind, content)],
      },
    ]);
    return id;
  }
  const factor = (id: string) => world.vault.store.get(mfaKind, PLATFORM_WORKSPACE, id);

  async function moved(): Promise<void> {
    await migrateDeployment(world.parts(), () => true);
    world.deploymentKeys = { own: NEXT, values: NEXT, allOwn: [NEXT, VAULT_KEY_ARN] };
    await finish();
  }

  it('that only moved to another key go on working, and move again', async () => {
    const id = await enrolled({ confirmedAt: '2026-01-01T00:00:00.000Z' });
    const before = backup();
    await moved();
    expect(await factor(id)).toMatchObject({ keyArn: NEXT });
    const told = await restore(before);
    expect(told).toContain('mfa behind: as_recorded');
    expect(told).toContain('deploymentKey gone: recreated');
    const restored = await factor(id);
    expect(restored).toMatchObject({ keyArn: VAULT_KEY_ARN });
    expect(restored?.lastStep).toBeLessThan(LOCKED_STEP);
    await finish();
    expect(await factor(id)).toMatchObject({ keyArn: NEXT });
    const noted = await world.vault.store.get(deploymentKeyKind, PLATFORM_WORKSPACE, PLATFORM_WORKSPACE);
    expect(noted).toMatchObject({ own: NEXT, state: 'settled' });
  });

  it('that were never confirmed lock nobody out because they moved', async () => {
    const nothing = backup();
    const id = await enrolled({});
    const before = backup();
    await moved();
    expect(await restore(before)).toContain('mfa behind: removed');
    expect(await factor(id)).toBeUndefined();
    expect(await restore(nothing)).not.toContain('mfa gone: recreated');
  });
});
