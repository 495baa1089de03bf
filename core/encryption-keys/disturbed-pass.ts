import { type Change, update } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { keyMigrationKind } from './key-migration.ts';

/**
 * The change that goes with restoring a secret: it moves from one list to the other, and a pass over both may have missed
 * it in each. Likewise, of the platform, with a person who comes to a workspace. A pass so disturbed does not end its
 * migration; nothing where none is under way.
 */
export async function disturbedPass(store: Store, workspaceId: string): Promise<readonly Change[]> {
  const migration = await store.get(keyMigrationKind, workspaceId, workspaceId);
  if (migration === undefined || migration.state === 'done') return [];
  return [update(keyMigrationKind, migration, { passDisturbed: true })];
}
