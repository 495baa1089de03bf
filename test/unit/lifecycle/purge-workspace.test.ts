import { raiseAlert } from '../../../core/alerts/raise-alert.ts';
import { updateDetection } from '../../../core/anomaly/update-detection.ts';
import { changeKey } from '../../../core/encryption-keys/change-key.ts';
import { setEvidenceSchedule } from '../../../core/evidence-schedule/schedule-evidence.ts';
import { createFinding } from '../../../core/findings/create-finding.ts';
import { recordRisk } from '../../../core/findings/record-risk.ts';
import type { Store } from '../../../core/kernel/store.ts';
import { DELETED_WORKSPACE_MS, purgeWorkspace } from '../../../core/lifecycle/purge-workspace.ts';
import { noFacts } from '../../../core/posture/facts.ts';
import { recordSnapshot } from '../../../core/posture/record-snapshot.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { createWebhook } from '../../../core/siem/create-webhook.ts';
import { deleteWorkspace } from '../../../core/workspaces/delete-workspace.ts';
import { openWorkspace } from '../../../core/workspaces/in-open-workspace.ts';
import { updateWorkspace } from '../../../core/workspaces/update-workspace.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { callerWith, type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { person } from '../members/acme.ts';
import { purgeParts, removedBy } from './removed.ts';

const DAY = 24 * 60 * 60_000;
const ADA = 'ada@example.com';

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  vault = memoryVault();
  workspaceId = await addWorkspace(vault);
});
afterEach(async () => {
  vault.tables.faults = async () => 'none';
  vault.tables.answers = async () => undefined;
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const owner = () => callerWith({ workspaceId, role: 'owner' });
const purge = () => purgeWorkspace(purgeParts(vault), workspaceId);
const workspace = () => vault.store.get(workspaceKind, workspaceId, workspaceId);
const held = (id = workspaceId): string[] =>
  [...vault.tables.entities.values()]
    .filter(({ entity }) => entity.workspaceId === id)
    .map(({ entity }) => entity.kind)
    .toSorted();

/** A bit of everything, and then it is deleted. */
async function deletedWithAll(): Promise<void> {
  const context = owner();
  await addPerson(vault, workspaceId, { email: ADA, role: 'owner' });
  await addKey(vault, workspaceId, { role: 'viewer', revokedAt: '2026-01-01T00:00:00.000Z' });
  await createWebhook(vault, context, { name: 'x', url: 'https://siem.example.com/', preset: 'generic' });
  const finding = await createFinding(vault, context, { title: 'x', description: '', severity: 'low' });
  await recordRisk(vault, context, {
    title: 'x',
    description: '',
    likelihood: 1,
    impact: 1,
    treatment: 'accept',
    findings: [finding.id],
  });
  await raiseAlert(
    vault,
    { tier: 'info', kind: 'job_failed', workspaceId, subject: 'x', detail: {} },
    'test',
  );
  await updateDetection(vault, context, { volume: { enabled: false } });
  await setEvidenceSchedule(vault, context, { every: 'week' });
  await updateWorkspace(vault, context, { auditRetentionDays: 400 });
  const kept = await openWorkspace(vault.store, workspaceId);
  await changeKey(vault, context, kept, await vault.newCustomerKey(workspaceId));
  await recordSnapshot(vault, workspaceId, { from: vault.clock.now(), facts: noFacts() });
  // So late that the list does not show it yet.
  await createSecret(vault, context, { namespace: 'prod', name: 'late', value: 'v' });
  const lagging: Store = { ...vault.store, list: async () => ({ items: [] }) };
  await deleteWorkspace({ ...vault, store: lagging }, context);
}

it('keeps everything for 30 days, but takes it off its people’s lists at once', async () => {
  await deletedWithAll();
  const before = held();
  expect((await person(vault, ADA)).workspaceIds).toEqual([workspaceId]);
  await purge();
  expect((await person(vault, ADA)).workspaceIds).toEqual([]);
  vault.clock.advance(DELETED_WORKSPACE_MS);
  expect([await purge(), held()]).toEqual([0, before]);
});

it('then removes all but what its trail needs, and in a later run says that it is purged', async () => {
  await deletedWithAll();
  await purge();
  vault.clock.advance(DELETED_WORKSPACE_MS + 1);
  expect(new Set(await removedBy(vault, purge))).toEqual(
    new Set([
      'alert',
      'apiKey',
      'detectionSettings',
      'evidenceSchedule',
      'finding',
      'keyMigration',
      'membership',
      'namespace',
      'postureSnapshot',
      'risk',
      'secret',
      'secretName',
      'secretVersion',
      'webhook',
      'webhookSet',
    ]),
  );
  expect(held()).toEqual(['workspace']);
  expect(await workspace()).not.toHaveProperty('purgedAt');
  vault.clock.advance(DAY);
  expect(await purge()).toBe(0);
  expect(await workspace()).not.toHaveProperty('encryptionKey');
  expect(await workspace()).not.toHaveProperty('previousKeyArns');
  expect(await workspace()).toMatchObject({
    name: '',
    owners: [],
    deletedAt: '2026-01-01T00:00:00.000Z',
    purgedAt: '2026-02-01T00:00:00.001Z',
    auditRetentionDays: 400,
  });
  const rows = rowsOf(vault, workspaceId);
  expect(rows.at(-1)).toMatchObject({ action: 'workspace.purged', actor: { type: 'system', id: 'purge' } });
  expect(rows.find(({ detail }) => detail['kind'] === 'webhook')).toMatchObject({
    action: 'workspace.purge_started',
    detail: { kind: 'webhook', removed: '1' },
  });
});

it('a purged workspace is left alone, whatever is raised about its trail later', async () => {
  await deleteWorkspace(vault, owner());
  vault.clock.advance(DELETED_WORKSPACE_MS + 1);
  await purge();
  const rows = rowsOf(vault, workspaceId).length;
  await raiseAlert(
    vault,
    { tier: 'critical', kind: 'audit_break', workspaceId, subject: 'x', detail: {} },
    'test',
  );
  expect(await purge()).toBe(0);
  expect(rowsOf(vault, workspaceId)).toHaveLength(rows + 1);
});

it('a workspace that is not deleted loses nothing', async () => {
  await addPerson(vault, workspaceId, { email: ADA, role: 'owner' });
  await createFinding(vault, owner(), { title: 'x', description: '', severity: 'low' });
  vault.clock.advance(1_000 * DAY);
  expect(await removedBy(vault, purge)).toEqual([]);
});

it('another workspace’s webhooks stay, though all share a list', async () => {
  const other = await addWorkspace(vault);
  const elsewhere = callerWith({ workspaceId: other, role: 'owner' });
  await createWebhook(vault, elsewhere, { name: 'x', url: 'https://siem.example.com/', preset: 'generic' });
  await deletedWithAll();
  vault.clock.advance(DELETED_WORKSPACE_MS + 1);
  const before = held(other);
  await purge();
  expect(held(other)).toEqual(before);
});

it('a run that dies at any append is finished by later ones', async () => {
  await deletedWithAll();
  await purge();
  vault.clock.advance(DELETED_WORKSPACE_MS + 1);
  for (let runs = 0; (await workspace())?.purgedAt === undefined; runs += 1) {
    if (runs > 100) throw new Error('The purge comes to no end.');
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') appends += 1;
      return name === 'ledger.append' && appends >= 2 ? 'before' : 'none';
    };
    await purge().catch(() => undefined);
  }
  vault.tables.faults = async () => 'none';
  expect(held()).toEqual(['workspace']);
});

it('without time it is never called purged', async () => {
  await deletedWithAll();
  vault.clock.advance(DELETED_WORKSPACE_MS + 1);
  const hurried = purgeParts(vault, () => false);
  expect(await removedBy(vault, () => purgeWorkspace(hurried, workspaceId))).not.toContain('secret');
  expect(await workspace()).not.toHaveProperty('purgedAt');
});
