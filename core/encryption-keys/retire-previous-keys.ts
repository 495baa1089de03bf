import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { check, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { unchanged } from './change-key.ts';
import type { EncryptionKeyParts, EncryptionKeyStatus } from './encryption-key-parts.ts';
import { type KeyMigration, keyMigrationKind } from './key-migration.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

/**
 * Gives the workspace's earlier keys up, once nothing lies under them: from then on the customer may disable them. The
 * commit holds the migration to what was read of it, so that none begins meanwhile.
 *
 * @throws VaultError `key_in_use` while the migration to the present key is not done.
 */
export async function retirePreviousKeys(
  parts: EncryptionKeyParts,
  context: RequestContext,
): Promise<EncryptionKeyStatus> {
  const { store, trail, deploymentKeys } = parts;
  const { workspaceId } = context.principal;
  authorize(context.principal, 'encryption_key:manage');
  const after = await retryRefused(async () => {
    const workspace = await openWorkspace(store, workspaceId);
    const { previousKeyArns = [] } = workspace;
    if (previousKeyArns.length === 0) return unchanged(parts, context, workspace);
    const migration = await store.get(keyMigrationKind, workspaceId, workspaceId);
    const current = wrappingKeyArn(workspace, deploymentKeys);
    if (migration?.state !== 'done' || migration.keyArn !== current) throw stillMoving(migration);
    const changed = update(workspaceKind, workspace, { previousKeyArns: undefined });
    await trail.commit(originOf(context), [
      {
        action: 'encryption_key.previous_retired',
        entity: { type: 'workspace', id: workspaceId },
        result: 'success',
        detail: { keyArn: current, retired: previousKeyArns.join(',') },
        changes: [changed, check(keyMigrationKind, migration)],
      },
    ]);
    return { workspace: changed.entity, migration };
  });
  return { ...after, usable: null };
}

function stillMoving(migration: KeyMigration | undefined): VaultError {
  const blocked =
    migration?.state === 'blocked' ? ' Some cannot be moved: see that the earlier keys are usable.' : '';
  return new VaultError(
    'key_in_use',
    `Versions of secrets may still lie under the earlier keys. Wait until GET /workspace/encryption-key says that the migration is done.${blocked}`,
  );
}
