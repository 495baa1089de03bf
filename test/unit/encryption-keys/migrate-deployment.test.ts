import { type DeploymentKey, deploymentKeyKind } from '../../../core/encryption-keys/deployment-key.ts';
import { keyMigrationKind } from '../../../core/encryption-keys/key-migration.ts';
import { migrateDeployment } from '../../../core/encryption-keys/migrate-deployment.ts';
import { type MigrationSummary, ROLLOUT_MS } from '../../../core/encryption-keys/migration-parts.ts';
import type { DeploymentKeys } from '../../../core/encryption-keys/wrapping-key.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { callerWith, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { type Migrating, migrating, SOME_TIME } from './migrating.ts';

const NEXT = 'arn:aws:kms:us-east-1:000000000000:key/next';
const ROTATED: DeploymentKeys = { own: NEXT, values: NEXT, allOwn: [NEXT, VAULT_KEY_ARN] };

let world: Migrating;
beforeEach(async () => {
  world = await migrating();
});
afterEach(async () => {
  expect(await brokenWorkspaces(world.vault)).toEqual({});
});

const run = (mayGoOn: () => boolean = () => true) => migrateDeployment(world.parts(), mayGoOn);
const advance = (milliseconds: number) => world.vault.clock.advance(milliseconds);
const platformActions = () => rowsOf(world.vault, PLATFORM_WORKSPACE).map(({ action }) => action);
async function noted(): Promise<DeploymentKey | undefined> {
  return world.vault.store.get(deploymentKeyKind, PLATFORM_WORKSPACE, PLATFORM_WORKSPACE);
}

async function finish(): Promise<MigrationSummary> {
  for (let round = 0; round < 30; round += 1) {
    const summary = await run();
    if ((await noted())?.state === 'settled' && summary.open === 0) return summary;
    advance(SOME_TIME);
  }
  throw new Error('The migration does not come to an end.');
}

it('notes the only key there is, and has nothing to move', async () => {
  await world.create('a');
  expect(await run()).toEqual({ open: 0, blocked: 0, done: 0, moved: 0, failures: [] });
  expect(await noted()).toMatchObject({ own: VAULT_KEY_ARN, state: 'settled', previous: [] });
  await run();
  expect(platformActions().filter((action) => action === 'deployment_key.changed')).toHaveLength(1);
});

it('moves everything where the first keys that it sees are not the only ones', async () => {
  await world.create('a');
  world.deploymentKeys = ROTATED;
  await run();
  expect(await noted()).toMatchObject({ state: 'opening', previous: [VAULT_KEY_ARN] });
  await finish();
  expect(world.wrappings()).toEqual({ [NEXT]: 1 });
});

it('moves all workspaces to a new key of the deployment, one with its own key to that, and says when it is done', async () => {
  await run();
  const [id = ''] = await world.create('a', 'b');
  const other = await addWorkspace(world.vault);
  const context = callerWith({ workspaceId: other });
  await createSecret(world.vault, context, { namespace: 'prod', name: 'c', value: 'v' });
  const customers = await world.vault.newCustomerKey(world.workspaceId);
  await world.change(customers);
  let asked = 0;
  // Its own move is under way: some of its values lie under the former key still.
  await world.run(() => ++asked < 1);
  world.deploymentKeys = ROTATED;
  await finish();
  expect(world.wrappings()).toEqual({ [customers]: 2, [NEXT]: 1 });
  expect(await noted()).toMatchObject({ state: 'settled', own: NEXT, previous: [] });
  expect(platformActions().slice(-1)).toEqual(['deployment_key.migration_completed']);
  expect(await world.migration(other)).toMatchObject({ reason: 'deployment', keyArn: NEXT, state: 'done' });
  expect(await world.migration(PLATFORM_WORKSPACE)).toMatchObject({ keyArn: NEXT, state: 'done' });
  world.vault.keys.unusable.add(VAULT_KEY_ARN);
  expect(await world.reveal(id)).toBe('value of a');
});

it('waits until every function has the new settings, so that no late value stays behind', async () => {
  await run();
  world.deploymentKeys = ROTATED;
  await run();
  advance(ROLLOUT_MS - 1);
  expect(await run()).toMatchObject({ open: 0 });
  // A function that still has the old settings.
  await world.create('late');
  advance(1);
  await run();
  expect(await run()).toMatchObject({ open: 2 });
  await finish();
  expect(world.wrappings()).toEqual({ [NEXT]: 1 });
});

it('goes back when the stage does', async () => {
  await run();
  await world.create('a', 'b');
  world.deploymentKeys = ROTATED;
  await run();
  advance(ROLLOUT_MS);
  await run();
  expect(world.wrappings()).toEqual({ [NEXT]: 2 });
  world.deploymentKeys = { own: VAULT_KEY_ARN, values: VAULT_KEY_ARN, allOwn: [VAULT_KEY_ARN, NEXT] };
  await finish();
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 2 });
});

it('has values under a tenant’s key, and second factors under the vault’s own', async () => {
  await run();
  await world.create('a');
  const tenants = await world.vault.newCustomerKey(world.workspaceId);
  world.deploymentKeys = { own: VAULT_KEY_ARN, values: tenants, allOwn: [VAULT_KEY_ARN] };
  await finish();
  expect(world.wrappings()).toEqual({ [tenants]: 1 });
  expect(await world.migration(PLATFORM_WORKSPACE)).toMatchObject({ keyArn: VAULT_KEY_ARN });
});

it('opens the migrations of many workspaces, page by page, whoever dies in between', async () => {
  await run();
  for (let count = 0; count < 60; count += 1) await addWorkspace(world.vault);
  world.deploymentKeys = ROTATED;
  await run();
  advance(ROLLOUT_MS);
  let asked = 0;
  await run(() => ++asked < 2);
  expect((await noted())?.position).toBeDefined();
  let lists = 0;
  world.vault.tables.faults = async ({ name }) =>
    name === 'store.list' && ++lists === 1 ? 'before' : 'none';
  expect((await run()).failures).toMatchObject([{ workspaceId: PLATFORM_WORKSPACE }]);
  world.vault.tables.faults = async () => 'none';
  await finish();
  const migrations = [...world.vault.tables.entities.values()].filter(
    ({ entity }) => entity.kind === keyMigrationKind.name,
  );
  expect(migrations).toHaveLength(62);
});

it('is not failed by another run that notes the keys, or opens the migrations, at the same time', async () => {
  await run();
  await world.create('a');
  for (const wait of [0, ROLLOUT_MS]) {
    world.deploymentKeys = ROTATED;
    advance(wait);
    let isOther = false;
    world.vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append' && !isOther) {
        isOther = true;
        expect((await migrateDeployment(world.parts(memoryVault(world.vault)), () => true)).failures).toEqual(
          [],
        );
      }
      return 'none';
    };
    expect((await run()).failures).toEqual([]);
    world.vault.tables.faults = async () => 'none';
  }
  await finish();
  expect(world.wrappings()).toEqual({ [NEXT]: 1 });
  expect(platformActions().filter((action) => action === 'deployment_key.changed')).toHaveLength(2);
});

it('goes on with the others when one workspace fails', async () => {
  await run();
  const other = await addWorkspace(world.vault);
  await createSecret(world.vault, callerWith({ workspaceId: other }), {
    namespace: 'prod',
    name: 'c',
    value: 'v',
  });
  await world.create('a');
  world.deploymentKeys = ROTATED;
  await run();
  advance(ROLLOUT_MS);
  world.afterEach = async (count) => {
    if (count === 1) throw unavailable('The key service is slow.');
  };
  const { failures, moved, open } = await run();
  expect({ failures: failures.length, moved, open }).toEqual({ failures: 1, moved: 1, open: 3 });
  await finish();
  expect(world.wrappings()).toEqual({ [NEXT]: 2 });
});

it('tells of all that failed, where the open migrations cannot be listed either', async () => {
  await run();
  await world.create('a');
  world.deploymentKeys = ROTATED;
  await run();
  advance(ROLLOUT_MS);
  world.vault.tables.faults = async ({ name }) => (name === 'store.list' ? 'before' : 'none');
  expect(await run()).toMatchObject({
    moved: 0,
    failures: [{ workspaceId: PLATFORM_WORKSPACE }, { workspaceId: PLATFORM_WORKSPACE }],
  });
  world.vault.tables.faults = async () => 'none';
  await finish();
  expect(world.wrappings()).toEqual({ [NEXT]: 1 });
});
