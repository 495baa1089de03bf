import type { RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { changeKey, unchanged } from './change-key.ts';
import type { EncryptionKeyParts, EncryptionKeyStatus } from './encryption-key-parts.ts';

/**
 * Takes a workspace back to the deployment's key: new values lie under it from now on, and the others as the migration
 * comes to them, for which the customer's key has to stay usable. That key needs no trial: everybody else's values lie
 * under it. So this works, too, when the customer's key is gone, and is no part of any plan.
 *
 * @throws VaultError `key_in_use` where versions may lie under too many keys already.
 */
export async function returnToVaultKey(
  parts: EncryptionKeyParts,
  context: RequestContext,
): Promise<EncryptionKeyStatus> {
  authorize(context.principal, 'encryption_key:manage');
  const after = await retryRefused(async () => {
    const workspace = await openWorkspace(parts.store, context.principal.workspaceId);
    return workspace.encryptionKey === undefined
      ? unchanged(parts, context, workspace)
      : changeKey(parts, context, workspace, parts.deploymentKeys.values);
  });
  return { ...after, usable: null };
}
