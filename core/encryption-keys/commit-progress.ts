import { type Action, eventId } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { Alerts } from '../detection/alert.ts';
import { type Change, update } from '../kernel/entity.ts';
import { type KeyMigration, keyMigrationKind } from './key-migration.ts';
import { type MigrationParts, REWRAPPER } from './migration-parts.ts';

/** A step of a migration. */
interface Progress {
  readonly action: Action;
  readonly detail: { readonly [key: string]: string };
  readonly patch: Parameters<typeof update<KeyMigration>>[2];
  /** Values that were put under the key of the migration. */
  readonly changes: readonly Change[];
}

/**
 * Commits a step: the values moved together with how far the migration is, or nothing.
 *
 * @throws RefusedChanges when the migration, or one of the values, is not as it was read any more.
 */
export async function commitProgress(
  { trail }: Pick<MigrationParts, 'trail'>,
  migration: KeyMigration,
  { action, detail, patch, changes }: Progress,
): Promise<{ readonly migration: KeyMigration; readonly event: string }> {
  const { workspaceId, keyArn, pass } = migration;
  const change = update(keyMigrationKind, migration, { notBefore: undefined, ...patch });
  const [position] = await trail.commit(systemOrigin(workspaceId, REWRAPPER), [
    {
      action,
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { keyArn, pass: String(pass), ...detail },
      changes: [...changes, change],
    },
  ]);
  return { migration: change.entity, event: position === undefined ? '' : eventId(position) };
}

/** @param event the id of the event that says so. */
export async function tellBlocked(
  alerts: Alerts,
  { workspaceId, keyArn, passBlocked }: KeyMigration,
  event: string,
): Promise<void> {
  await alerts.raise({
    tier: 'critical',
    kind: 'rewrap_blocked',
    workspaceId,
    subject: `key ${keyArn}`,
    seen: `Values that could not be moved under the key: ${passBlocked}. It refuses them, the key that they lie under does, or they are damaged.`,
    usual:
      'All values are moved. They stay readable under the keys that they lie under, as long as those are.',
    rows: [event],
    occurrence: event,
    detail: { keyArn, blocked: String(passBlocked) },
  });
}
