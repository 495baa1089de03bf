import type { Action } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { type Change, create, listPosition, update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { ALL_WORKSPACES, workspaceKind } from '../workspaces/workspace.ts';
import { type DeploymentKey, deploymentKeyKind } from './deployment-key.ts';
import { keyMigrationKind, OPEN_MIGRATIONS } from './key-migration.ts';
import { LIST_LAG_MS, type MigrationParts, REWRAPPER, ROLLOUT_MS } from './migration-parts.ts';
import { startedMigration } from './start-migration.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

const PAGE = 50;

/**
 * Follows the keys that the stage gives the deployment. When they change, every workspace gets a migration to the key that
 * it has then: also one with a key of its own, since it may hold values from before it had that. The migrations are opened
 * only once every function has the new settings, so that none of them is done before the last value was written under an
 * earlier key. When all are done, an earlier key of the deployment can be dropped from the stage.
 *
 * Each step is a commit of its own; a run that dies is finished by the next one, which finds the rest.
 *
 * @throws VaultError `unavailable`; RefusedChanges when another run is at it.
 */
export async function moveDeploymentKey(parts: MigrationParts, mayGoOn: () => boolean): Promise<void> {
  const noted = await noteKeys(parts);
  const now = parts.clock.now();
  if (noted.state === 'opening' && now >= Date.parse(noted.since) + ROLLOUT_MS)
    await openMigrations(parts, noted, mayGoOn);
  if (noted.state === 'moving') await completeOnceMoved(parts, noted);
}

/** The keys as they are noted, and noted first if they are others than before. */
async function noteKeys({ store, trail, clock, deploymentKeys }: MigrationParts): Promise<DeploymentKey> {
  const noted = await store.get(deploymentKeyKind, PLATFORM_WORKSPACE, PLATFORM_WORKSPACE);
  const { own, values, allOwn } = deploymentKeys;
  if (noted?.own === own && noted.values === values) return noted;
  const since = timestamp(clock.now());
  // What was never noted may have been written before anybody noted keys: under the only one there is, or any of several.
  const isOnly = noted === undefined && allOwn.length === 1 && values === own;
  const earlier = noted === undefined ? allOwn : [noted.own, noted.values, ...noted.previous];
  const previous = [...new Set(earlier)].filter((keyArn) => keyArn !== own && keyArn !== values);
  const content = { own, values, since, previous, state: isOnly ? 'settled' : 'opening' } as const;
  const change =
    noted === undefined
      ? create(deploymentKeyKind, { workspaceId: PLATFORM_WORKSPACE, id: PLATFORM_WORKSPACE, ...content })
      : update(deploymentKeyKind, noted, { ...content, position: undefined, openedAt: undefined });
  await commit(trail, 'deployment_key.changed', { own, values }, change);
  return change.entity;
}

/** Opens the migration of the platform, then those of all workspaces, and notes how far it is after each page. */
async function openMigrations(
  parts: MigrationParts,
  noted: DeploymentKey,
  mayGoOn: () => boolean,
): Promise<void> {
  const { store, trail, clock, deploymentKeys } = parts;
  let current = noted;
  if (current.position === undefined)
    await openMigration(parts, PLATFORM_WORKSPACE, deploymentKeys.own, noted);
  for (let after = current.position; mayGoOn(); ) {
    const query = { list: ALL_WORKSPACES, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const { items, next } = await store.list(workspaceKind, query);
    for (const { id } of items) {
      // The list may lag, and an outdated target would be put right only at the price of a migration begun twice.
      const workspace = await store.get(workspaceKind, id, id);
      if (workspace === undefined || workspace.purgedAt !== undefined) continue;
      await openMigration(parts, id, wrappingKeyArn(workspace, deploymentKeys), noted);
    }
    const last = items.at(-1);
    after = last === undefined ? after : listPosition(workspaceKind, last);
    const change = update(
      deploymentKeyKind,
      current,
      next === undefined
        ? { state: 'moving', position: undefined, openedAt: timestamp(clock.now()) }
        : { position: after },
    );
    await commit(trail, 'encryption_key.migration_started', { workspaces: String(items.length) }, change);
    current = change.entity;
    if (next === undefined) return;
  }
}

/** A crash after it, before the place is noted, has the next run find it open already. */
async function openMigration(
  { store, trail, clock }: MigrationParts,
  workspaceId: string,
  keyArn: string,
  { since }: DeploymentKey,
): Promise<void> {
  await retryRefused(async () => {
    const existing = await store.get(keyMigrationKind, workspaceId, workspaceId);
    const opened = Date.parse(since) + ROLLOUT_MS;
    if (existing?.keyArn === keyArn && Date.parse(existing.startedAt) >= opened) return;
    const at = timestamp(clock.now());
    const change = startedMigration(existing, { workspaceId, keyArn, reason: 'deployment', at });
    await trail.commit(systemOrigin(workspaceId, REWRAPPER), [
      {
        action: 'encryption_key.migration_started',
        entity: { type: 'workspace', id: workspaceId },
        result: 'success',
        detail: { keyArn, reason: 'deployment' },
        changes: [change],
      },
    ]);
  });
}

/**
 * Says that nothing lies under an earlier key any more, once no migration is open: a list that lags shows those that were
 * opened a while ago.
 */
async function completeOnceMoved(
  { store, trail, clock }: MigrationParts,
  noted: DeploymentKey,
): Promise<void> {
  if (clock.now() < Date.parse(noted.openedAt ?? noted.since) + LIST_LAG_MS) return;
  const { items } = await store.list(keyMigrationKind, { list: OPEN_MIGRATIONS, limit: 1 });
  if (items.length > 0) return;
  const change = update(deploymentKeyKind, noted, { state: 'settled', previous: [], openedAt: undefined });
  const { own, values } = noted;
  await commit(trail, 'deployment_key.migration_completed', { own, values }, change);
}

async function commit(
  trail: MigrationParts['trail'],
  action: Action,
  detail: { readonly [key: string]: string },
  change: Change,
): Promise<void> {
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, REWRAPPER), [
    {
      action,
      entity: { type: 'deployment', id: PLATFORM_WORKSPACE },
      result: 'success',
      detail,
      changes: [change],
    },
  ]);
}
