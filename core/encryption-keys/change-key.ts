import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { MAX_PREVIOUS_KEYS, type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import type { EncryptionKeyParts, EncryptionKeyStatus } from './encryption-key-parts.ts';
import { keyMigrationKind } from './key-migration.ts';
import { startedMigration } from './start-migration.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

type Parts = Pick<EncryptionKeyParts, 'store' | 'trail' | 'clock' | 'deploymentKeys'>;

/**
 * Has another key wrap the workspace's new versions from this commit on, and all others moved under it: one commit, which
 * no write of a value that began under the former key survives.
 *
 * @throws VaultError `key_in_use` where versions may lie under too many keys already.
 */
export async function changeKey(
  parts: Parts,
  context: RequestContext,
  workspace: Workspace,
  keyArn: string,
): Promise<Omit<EncryptionKeyStatus, 'usable'>> {
  const { store, deploymentKeys, clock, trail } = parts;
  const at = timestamp(clock.now());
  const former = wrappingKeyArn(workspace, deploymentKeys);
  const isOwn = keyArn === deploymentKeys.values;
  const changed = update(workspaceKind, workspace, {
    encryptionKey: isOwn ? undefined : { keyArn, since: at },
    previousKeyArns: previousAfter(workspace, deploymentKeys.values, keyArn),
  });
  const earlier = await store.get(keyMigrationKind, workspace.id, workspace.id);
  const migration = startedMigration(earlier, {
    workspaceId: workspace.id,
    keyArn,
    reason: 'workspace',
    at,
  });
  await trail.commit(originOf(context), [
    {
      action: 'encryption_key.changed',
      entity: { type: 'workspace', id: workspace.id },
      result: 'success',
      detail: { keyArn, previousKeyArn: former, mode: isOwn ? 'vault' : 'customer' },
      changes: [changed, migration],
    },
  ]);
  return { workspace: changed.entity, migration: migration.entity };
}

/**
 * The keys that versions may still lie under once another one wraps, newest first. One place is kept for the way back, and
 * that is never refused: a workspace can return to the vault's own key from wherever it is.
 *
 * @throws VaultError `key_in_use`
 */
export function previousAfter(workspace: Workspace, values: string, keyArn: string): string[] {
  const former = wrappingKeyArn(workspace, { values });
  const earlier = new Set([former, ...(workspace.previousKeyArns ?? [])]);
  earlier.delete(keyArn);
  const onTheWayBack = new Set([keyArn, ...earlier]);
  onTheWayBack.delete(values);
  const isFull = earlier.size > MAX_PREVIOUS_KEYS || onTheWayBack.size > MAX_PREVIOUS_KEYS;
  if (isFull && keyArn !== values) {
    throw new VaultError(
      'key_in_use',
      `This workspace has ${workspace.previousKeyArns?.length ?? 0} earlier keys, and room for no more. Once the migration is done, give them up with DELETE /workspace/encryption-key/previous, then repeat this.`,
    );
  }
  return [...earlier];
}

/** The answer to who wants what is so already: nothing changed, so whoever follows the trail is not told that it did. */
export async function unchanged(
  { store, trail }: Pick<Parts, 'store' | 'trail'>,
  context: RequestContext,
  workspace: Workspace,
): Promise<Omit<EncryptionKeyStatus, 'usable'>> {
  const migration = await store.get(keyMigrationKind, workspace.id, workspace.id);
  await trail.commit(originOf(context), [
    {
      action: 'encryption_key.read',
      entity: { type: 'workspace', id: workspace.id },
      result: 'success',
      detail: { unchanged: 'true' },
    },
  ]);
  return { workspace, migration };
}
