import { alertList, alertRecordKind } from '../alerts/alert-record.ts';
import { detectionSettingsKind } from '../anomaly/settings.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { keyMigrationKind } from '../encryption-keys/key-migration.ts';
import { evidenceScheduleKind } from '../evidence-schedule/evidence-schedule.ts';
import { findingKind, findingList } from '../findings/finding.ts';
import { riskKind, riskList } from '../findings/risk.ts';
import { apiKeyKind, apiKeyList } from '../identity/api-key.ts';
import { type Entity, type Kind, remove, update } from '../kernel/entity.ts';
import { DAY_MS, timestamp } from '../kernel/timestamps.ts';
import { memberList, membershipKind } from '../members/membership.ts';
import { tidyUserWorkspaces } from '../members/user-workspaces.ts';
import { namespaceKind, namespaceList } from '../namespaces/namespace.ts';
import { postureSnapshotKind, snapshotList } from '../posture/snapshot.ts';
import { destroySecret } from '../secrets/purge-secret.ts';
import { deletedSecretList, secretKind, secretList } from '../secrets/secret.ts';
import { secretsSyncKind } from '../secrets-sync/secrets-sync.ts';
import { ALL_WEBHOOKS, webhookKind, webhookPrefix } from '../siem/webhook.ts';
import { webhookSetKind } from '../siem/webhook-set.ts';
import { DEFAULT_POLICY, type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { currentPages, slicesOf } from './list-all.ts';
import { commitRemovals, PURGE_JOB, type PurgeParts, REMOVALS } from './purge-parts.ts';

/** How long what a deleted workspace held is kept. */
export const DELETED_WORKSPACE_MS = 30 * DAY_MS;

/**
 * Takes a deleted workspace off its people's lists, and removes what it held once {@link DELETED_WORKSPACE_MS} are over.
 * Lists lag behind, so it counts as purged only once a later run finds nothing any more: then its name, its owners, its
 * policy and its keys go, too. What stays is what its trail needs: that it exists, how long its rows are kept, its lanes and its floor.
 *
 * Every removal is a commit of its own; a run that dies is finished by the next, which finds the rest.
 *
 * @returns how many entities were removed.
 */
export async function purgeWorkspace(parts: PurgeParts, workspaceId: string): Promise<number> {
  const { store, clock, mayGoOn } = parts;
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace?.deletedAt === undefined || workspace.purgedAt !== undefined) return 0;
  await tidyMembers(parts, workspaceId);
  if (Date.parse(workspace.deletedAt) >= clock.now() - DELETED_WORKSPACE_MS) return 0;
  const removed = (await destroySecrets(parts, workspaceId)) + (await removeLeftovers(parts, workspaceId));
  // Without time to look everywhere, nobody knows that nothing is left.
  if (removed === 0 && mayGoOn()) await bury(parts, workspace);
  return removed;
}

/** From the day of the deletion on: whoever has no other workspace has left, and their account has an end. */
async function tidyMembers(parts: PurgeParts, workspaceId: string): Promise<void> {
  const origin = systemOrigin(workspaceId, PURGE_JOB);
  for await (const members of currentPages(parts.store, membershipKind, workspaceId, {
    list: memberList(workspaceId),
  })) {
    for (const { id } of members) await tidyUserWorkspaces(parts, id, workspaceId, origin);
  }
}

/** What a request put there at the moment of the deletion, and what was deleted and could still be restored. */
async function destroySecrets(parts: PurgeParts, workspaceId: string): Promise<number> {
  let removed = 0;
  for (const list of [secretList(workspaceId), deletedSecretList(workspaceId)]) {
    for await (const secrets of currentPages(parts.store, secretKind, workspaceId, { list })) {
      for (const secret of secrets) {
        if (!parts.mayGoOn()) return removed;
        await destroySecret(parts, systemOrigin(workspaceId, PURGE_JOB), secret);
        removed += 1;
      }
    }
  }
  return removed;
}

async function removeLeftovers(parts: PurgeParts, workspaceId: string): Promise<number> {
  let removed = 0;
  for (const removeKind of LEFTOVERS) removed += await removeKind(parts, workspaceId);
  return removed;
}

type Leftover = (parts: PurgeParts, workspaceId: string) => Promise<number>;

/** All that a workspace holds besides secrets. What expires by itself within 30 days is gone by now. */
const LEFTOVERS: readonly Leftover[] = [
  listed(apiKeyKind, (id) => ({ list: apiKeyList(id) })),
  listed(
    webhookKind,
    (id) => ({ list: ALL_WEBHOOKS, prefix: webhookPrefix(id) }),
    async ({ deliveries }, webhook) => deliveries.forget(webhook),
  ),
  listed(namespaceKind, (id) => ({ list: namespaceList(id) })),
  listed(alertRecordKind, (id) => ({ list: alertList(id) })),
  listed(riskKind, (id) => ({ list: riskList(id) })),
  listed(findingKind, (id) => ({ list: findingList(id) })),
  listed(postureSnapshotKind, (id) => ({ list: snapshotList(id) })),
  single(webhookSetKind),
  single(detectionSettingsKind),
  single(secretsSyncKind),
  single(keyMigrationKind),
  single(evidenceScheduleKind),
  listed(membershipKind, (id) => ({ list: memberList(id) })),
];

function listed<E extends Entity>(
  kind: Kind<E>,
  query: (workspaceId: string) => { readonly list: string; readonly prefix?: string },
  before: (parts: PurgeParts, entity: E) => Promise<void> = async () => undefined,
): Leftover {
  return async (parts, workspaceId) => {
    let removed = 0;
    for await (const entities of currentPages(parts.store, kind, workspaceId, query(workspaceId))) {
      for (const slice of slicesOf(entities, REMOVALS)) {
        if (!parts.mayGoOn()) return removed;
        for (const entity of slice) await before(parts, entity);
        removed += await removeSlice(parts, kind, workspaceId, slice);
      }
    }
    return removed;
  };
}

/** For kinds of which a workspace has one, with its own id. */
function single<E extends Entity>(kind: Kind<E>): Leftover {
  return async (parts, workspaceId) => {
    const entity = await parts.store.get(kind, workspaceId, workspaceId);
    return entity === undefined ? 0 : removeSlice(parts, kind, workspaceId, [entity]);
  };
}

async function removeSlice<E extends Entity>(
  parts: PurgeParts,
  kind: Kind<E>,
  workspaceId: string,
  slice: readonly E[],
): Promise<number> {
  await commitRemovals(parts, systemOrigin(workspaceId, PURGE_JOB), [
    {
      action: 'workspace.purge_started',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { kind: kind.name, removed: String(slice.length) },
      changes: slice.map((entity) => remove(kind, entity)),
    },
  ]);
  // Refused or not, something was there: a later run has to look again.
  return slice.length;
}

async function bury(parts: PurgeParts, workspace: Workspace): Promise<void> {
  const tombstone = update(workspaceKind, workspace, {
    name: '',
    owners: [],
    policy: DEFAULT_POLICY,
    encryptionKey: undefined,
    previousKeyArns: undefined,
    purgedAt: timestamp(parts.clock.now()),
  });
  await commitRemovals(parts, systemOrigin(workspace.id, PURGE_JOB), [
    {
      action: 'workspace.purged',
      entity: { type: 'workspace', id: workspace.id },
      result: 'success',
      changes: [tombstone],
    },
  ]);
}
