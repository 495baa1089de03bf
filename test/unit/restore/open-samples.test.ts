import type { DeploymentKeys } from '../../../core/encryption-keys/wrapping-key.ts';
import { openSamples } from '../../../core/restore/open-samples.ts';
import { type SecretVersion, secretVersionKind } from '../../../core/secrets/secret.ts';
import { customerKeyArn } from '../../support/memory-customer-keys.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { type Migrating, migrating } from '../encryption-keys/migrating.ts';

const OWN_ALONE: DeploymentKeys = { own: VAULT_KEY_ARN, values: VAULT_KEY_ARN, allOwn: [VAULT_KEY_ARN] };
const NEXT = 'arn:aws:kms:us-east-1:000000000000:key/next';

let world: Migrating;
beforeEach(async () => {
  world = await migrating();
});

/** Samples of these secrets opened as by a restore, with the rows and the calls to the key service that it made. */
async function open(ids: readonly string[], deploymentKeys: DeploymentKeys = OWN_ALONE) {
  const { vault, workspaceId } = world;
  const [rows, calls] = [rowsOf(vault, workspaceId).length, vault.keys.calls.length];
  const samples = ids.map((id) => ({ workspaceId, id, valueUpdatedAt: '2026-01-01T00:00:00.000Z' }));
  const opened = await openSamples({ ...vault, deploymentKeys }, samples);
  return {
    opened,
    told: rowsOf(vault, workspaceId)
      .slice(rows)
      .map(({ action, entity, result }) => `${action} ${entity.id}: ${result}`),
    calls: vault.keys.calls.slice(calls),
  };
}

const alterVersion = (id: string, change: (version: SecretVersion) => SecretVersion): void =>
  world.alter<SecretVersion>(secretVersionKind.name, `${id}.1`, change);

/** A byte of the ciphertext is another. */
function spoiled(version: SecretVersion): SecretVersion {
  const ciphertext = Uint8Array.from(version.ciphertext);
  ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
  return { ...version, ciphertext };
}

test.each<[string, DeploymentKeys]>([
  ['its own key', OWN_ALONE],
  ['an earlier one of its own', { own: NEXT, values: NEXT, allOwn: [NEXT, VAULT_KEY_ARN] }],
  ['the one customer’s key', { own: NEXT, values: VAULT_KEY_ARN, allOwn: [NEXT] }],
])('what lies under %s of the deployment is opened, with a row before', async (_, deploymentKeys) => {
  const [id = ''] = await world.create('a');
  expect(await open([id], deploymentKeys)).toEqual({
    opened: { opened: 1, leftOut: 0, failures: [] },
    told: [`secret.sampled ${id}: success`],
    calls: ['decrypt'],
  });
});

test('what lies under a key that the workspace brought is left out and counted: no row, no call, no failure', async () => {
  const [first = ''] = await world.create('a');
  await world.change(await world.vault.newCustomerKey(world.workspaceId));
  const [second = '', third = ''] = await world.create('b', 'c');
  expect(await open([first, second, third])).toEqual({
    opened: { opened: 1, leftOut: 2, failures: [] },
    told: [`secret.sampled ${first}: success`],
    calls: ['decrypt'],
  });
});

test('a value that is broken fails; made to name a foreign key, it is not opened but counted', async () => {
  const [honest = '', forged = ''] = await world.create('honest', 'forged');
  alterVersion(honest, spoiled);
  alterVersion(forged, (version) => ({ ...spoiled(version), keyArn: customerKeyArn(666) }));
  const { opened, told } = await open([honest, forged]);
  expect(opened).toEqual({
    opened: 0,
    leftOut: 1,
    failures: [{ workspaceId: world.workspaceId, id: honest, code: 'internal' }],
  });
  expect(told).toEqual([`secret.sampled ${honest}: success`, `secret.sampled ${honest}: failure`]);
});

test('a secret that has no value any more fails, whatever key it lay under', async () => {
  const [id = ''] = await world.create('a');
  world.vault.tables.entities.clear();
  expect((await open([id])).opened).toEqual({
    opened: 0,
    leftOut: 0,
    failures: [{ workspaceId: world.workspaceId, id, code: 'not_found' }],
  });
});
