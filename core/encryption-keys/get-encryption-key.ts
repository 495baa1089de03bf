import type { RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { VaultError } from '../kernel/errors.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import type { EncryptionKeyParts, EncryptionKeyStatus } from './encryption-key-parts.ts';
import { keyMigrationKind } from './key-migration.ts';
import { opensWhatItWraps, tryKey } from './proof.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

/**
 * Which key wraps the workspace's values, how far they are moved under it, and whether it can be used right now. Answers
 * all the same when it cannot, and when the key service says nothing.
 */
export async function getEncryptionKey(
  parts: EncryptionKeyParts,
  context: RequestContext,
): Promise<EncryptionKeyStatus> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'encryption_key:read');
  const workspace = await openWorkspace(parts.store, workspaceId);
  const migration = await parts.store.get(keyMigrationKind, workspaceId, workspaceId);
  const keyArn = wrappingKeyArn(workspace, parts.deploymentKeys);
  const read = {
    action: 'encryption_key.read',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
  } as const;
  const usable = await tryKey(
    parts,
    context,
    keyArn,
    async (proof) => nullIfUnanswered(opensWhatItWraps(proof, keyArn)),
    [read],
  );
  return { workspace, migration, usable };
}

async function nullIfUnanswered(opens: ReturnType<typeof opensWhatItWraps>): Promise<boolean | null> {
  try {
    return (await opens) === 'yes';
  } catch (error) {
    if (error instanceof VaultError && error.code === 'unavailable') return null;
    throw error;
  }
}
