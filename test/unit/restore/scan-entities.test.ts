import { apiKeyKind } from '../../../core/identity/api-key.ts';
import { newSessionGroup } from '../../../core/members/membership.ts';
import type { Reconciled } from '../../../core/restore/commit-decisions.ts';
import { readLaneEnds } from '../../../core/restore/newest-changes.ts';
import { knownRows, reconcileWorkspace } from '../../../core/restore/reconcile-workspace.ts';
import { scanRestored } from '../../../core/restore/scan-entities.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { secretKind, secretVersionKind } from '../../../core/secrets/secret.ts';
import { createWebhook } from '../../../core/siem/create-webhook.ts';
import { addKey } from '../../support/api-world.ts';
import { entityKey, type StoredEntity } from '../../support/memory-store.ts';
import { installedVault } from '../../support/memory-vault.ts';

/** A vault whose rows are all back, and what a restore then does about its entities. */
async function restoredVault() {
  const { vault, owner } = await installedVault();
  const { workspaceId } = owner.principal;
  const reconciled: Reconciled[] = [];
  const reconcile = async () => {
    reconciled.length = 0;
    const parts = {
      ...vault,
      now: vault.clock.now(),
      dummyHash: vault.hasher.dummyHash,
      newSessionGroup: () => newSessionGroup(vault.random),
      onReconciled: (one: Reconciled) => void reconciled.push(one),
    };
    const ends = await readLaneEnds(vault.ledger, workspaceId);
    const known = knownRows(parts, workspaceId, ends, { isBelieved: () => true, floor: undefined });
    const { rows } = await reconcileWorkspace(parts, workspaceId, known);
    const scanned = await scanRestored(parts, () => rows, 3);
    return {
      scanned,
      told: reconciled.map(({ kind, discord, outcome }) => `${kind} ${discord}: ${outcome}`),
    };
  };
  const alter = (kind: string, id: string, change: (stored: StoredEntity) => StoredEntity): void => {
    const key = entityKey({ kind, workspaceId, id });
    const stored = vault.tables.entities.get(key);
    if (stored !== undefined) vault.tables.entities.set(key, change(stored));
  };
  return { vault, owner, workspaceId, reconcile, alter };
}

const input = { namespace: 'prod', name: 'db', value: 'x' };

test('a vault that is whole needs nothing, and offers its secrets as samples', async () => {
  const { vault, owner, reconcile } = await restoredVault();
  const { id } = await createSecret(vault, owner, input);
  const { scanned, told } = await reconcile();
  expect(told).toEqual([]);
  expect(scanned).toMatchObject({ left: 0, cursors: 0, withoutValue: 0, samples: [{ id }] });
});

test('an API key that somebody altered is revoked, and altered data is left as evidence', async () => {
  const { vault, owner, workspaceId, reconcile, alter } = await restoredVault();
  const secret = await createSecret(vault, owner, input);
  const key = await addKey(vault, workspaceId, { role: 'viewer' });
  const admin = ({ entity, row }: StoredEntity): StoredEntity => ({
    entity: { ...entity, role: 'owner' } as StoredEntity['entity'],
    row,
  });
  alter('apiKey', key.id, admin);
  alter('secret', secret.id, ({ entity, row }) => ({ entity: { ...entity, revision: 9 }, row }));
  const { scanned, told } = await reconcile();
  expect(told).toEqual(['apiKey unexplained: closed']);
  expect(scanned.left).toBe(1);
  expect((await vault.store.find(apiKeyKind, key.id))?.revokedAt).toBeDefined();
  expect((await vault.store.get(secretKind, workspaceId, secret.id))?.revision).toBe(9);
});

test('a key that no row ever named is closed, wherever it says that it was changed', async () => {
  const { vault, workspaceId, reconcile } = await restoredVault();
  const { id } = await addKey(vault, workspaceId, { role: 'viewer' });
  const planted = vault.tables.entities.get(entityKey({ kind: 'apiKey', workspaceId, id }));
  if (planted === undefined) throw new Error('The key was made.');
  const other = { ...planted.entity, id: 'key_planted' };
  vault.tables.entities.set(entityKey(other), { entity: other, row: { lane: 7, seq: 1 } });
  expect((await reconcile()).told).toEqual(['apiKey ahead: closed']);
  expect((await reconcile()).told).toEqual([]);
});

test('a secret whose values are gone is counted, and its lost versions are named', async () => {
  const { vault, owner, workspaceId, reconcile } = await restoredVault();
  const { id } = await createSecret(vault, owner, input);
  vault.tables.entities.delete(entityKey({ kind: secretVersionKind.name, workspaceId, id: `${id}.1` }));
  const { scanned, told } = await reconcile();
  expect(told).toEqual(['secretVersion gone: lost']);
  expect(scanned).toMatchObject({ withoutValue: 1, samples: [] });
});

test('the cursor of a webhook that is beyond the last row is put back to it', async () => {
  const { vault, owner, workspaceId, reconcile } = await restoredVault();
  const hook = { name: 'SIEM', url: 'https://siem.example.com/', preset: 'generic', batchSize: 10 } as const;
  const { webhook } = await createWebhook(vault, owner, hook);
  await vault.deliveries.replace(webhook, 0, { start: webhook.start.number, next: { 0: 1_000, 1: 1 } });
  const last = (await vault.ledger.lastRow({ workspaceId, lane: 0 }))?.seq ?? 0;
  expect((await reconcile()).scanned.cursors).toBe(1);
  expect((await vault.deliveries.read(webhook))?.state.next).toEqual({ 0: last + 1, 1: 1 });
  expect((await reconcile()).scanned.cursors).toBe(0);
});
