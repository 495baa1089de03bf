import { type Change, check, update } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { type KeyMigration, keyMigrationKind } from './key-migration.ts';

/**
 * The change that goes with restoring a secret: it moves from one list to the other, and a pass over both may have missed
 * it in each. A pass so disturbed does not end its migration. Where all of the secret lies under the key of the migration
 * already, there is nothing to miss, as long as it stays that migration: whoever restores again and again holds up nothing.
 * Nothing where none is under way.
 *
 * @param liesUnder whether all versions of the secret lie under that key, as read after the call.
 */
export async function disturbedPass(
  store: Store,
  workspaceId: string,
  liesUnder: (keyArn: string) => Promise<boolean>,
): Promise<readonly Change[]> {
  const migration = await store.get(keyMigrationKind, workspaceId, workspaceId);
  if (migration === undefined || migration.state === 'done') return [];
  const isMoved = await liesUnder(migration.keyArn);
  return [
    isMoved
      ? check(keyMigrationKind, migration)
      : update<KeyMigration>(keyMigrationKind, migration, { passDisturbed: true }),
  ];
}
