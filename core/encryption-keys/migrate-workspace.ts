import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { begunPass } from './end-pass.ts';
import { type KeyMigration, keyMigrationKind } from './key-migration.ts';
import {
  type MigrationOutcome,
  type MigrationParts,
  type MigrationStatus,
  REWRAPPER,
} from './migration-parts.ts';
import type { Refusals } from './rewrap-values.ts';
import { startedMigration } from './start-migration.ts';
import { walkList } from './walk-list.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

/** Whoever loses this often in a row leaves the workspace, for this run, to whom it loses to: another run, most likely. */
const MAX_DEFEATS = 5;

/**
 * Goes on with moving the values of a workspace under the key that it has now (of the platform: the second factors), until
 * there is nothing to do for the moment or the time is up.
 *
 * Each commit holds at most 20 values and the migration itself, at the revision that was read: so nothing is ever put under
 * a key that is not the target any more, of two runs one always gets on, and what was purged or moved by somebody else
 * meanwhile is looked at again. A crash leaves the state of the last commit, and every value under a key that it names.
 *
 * Costs for each value moved: one call to the key service, and a twentieth of a transaction. For each pass, of which
 * there are at least two: a query for each secret, and one for each 100.
 *
 * @param mayGoOn asked after each secret, or page of people; whatever is left is for the next run.
 * @throws VaultError `unavailable`, after which what was moved before is kept.
 */
export async function migrateWorkspace(
  parts: MigrationParts,
  workspaceId: string,
  mayGoOn: () => boolean,
): Promise<MigrationOutcome> {
  const refusals: Refusals = new Map();
  let moved = 0;
  for (let defeats = 0; defeats < MAX_DEFEATS; ) {
    const migration = await parts.store.get(keyMigrationKind, workspaceId, workspaceId);
    const now = parts.clock.now();
    const status = migration === undefined ? 'done' : statusOf(migration, now);
    if (migration === undefined || status !== 'moving' || !mayGoOn()) return { status, moved };
    try {
      // Read after the migration: should the key change between these two, the commit finds another revision.
      const keyArn = await targetOf(parts, workspaceId);
      if (keyArn !== migration.keyArn) {
        await beginAnew(parts, migration, keyArn);
        continue;
      }
      await walkList(parts, begunPass(migration, now), {
        mayGoOn,
        refusals,
        onMoved: (count) => {
          moved += count;
          defeats = 0;
        },
      });
      defeats = 0;
    } catch (error) {
      if (!(error instanceof RefusedChanges)) throw error;
      defeats += 1;
    }
  }
  return { status: 'waiting', moved };
}

function statusOf({ state, notBefore }: KeyMigration, now: number): MigrationStatus {
  if (state === 'done') return 'done';
  if (notBefore === undefined || Date.parse(notBefore) <= now) return 'moving';
  return state === 'blocked' ? 'blocked' : 'waiting';
}

/** The key that everything of a workspace is to lie under. */
async function targetOf(
  { store, deploymentKeys }: Pick<MigrationParts, 'store' | 'deploymentKeys'>,
  workspaceId: string,
): Promise<string> {
  if (workspaceId === PLATFORM_WORKSPACE) return deploymentKeys.own;
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  return wrappingKeyArn(workspace ?? {}, deploymentKeys);
}

/** A restore brought back a migration for another key than the workspace has, or the deployment has new keys. */
async function beginAnew(
  { trail, clock }: MigrationParts,
  migration: KeyMigration,
  keyArn: string,
): Promise<void> {
  const { workspaceId, reason } = migration;
  const change = startedMigration(migration, { workspaceId, keyArn, reason, at: timestamp(clock.now()) });
  await trail.commit(systemOrigin(workspaceId, REWRAPPER), [
    {
      action: 'encryption_key.migration_started',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { keyArn, reason },
      changes: [change],
    },
  ]);
}
