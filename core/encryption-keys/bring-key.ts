import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { VaultError } from '../kernel/errors.ts';
import { demandFeature } from '../plans/demand.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { changeKey, previousAfter, unchanged } from './change-key.ts';
import type { EncryptionKeyParts, EncryptionKeyStatus } from './encryption-key-parts.ts';
import { parseKeyArn } from './key-arn.ts';
import { faultsOfArn, type KeyFault } from './key-faults.ts';
import { proveKey } from './prove-key.ts';
import { wrappingKeyArn } from './wrapping-key.ts';

/**
 * Has the customer's own key wrap the workspace's values: new ones from now on, and the others as the migration comes to
 * them. An earlier key of the workspace is as good as a new one: this is also the way back.
 *
 * A crash before the commit leaves the row that a key was tried, and nothing else; after it, whoever repeats the request
 * finds it done. Asked for the key that the workspace has, it tries that one again and changes nothing.
 *
 * @throws VaultError `key_refused` with a reason for each fault; `key_in_use`; `not_in_plan`; `concurrent_change` when
 * somebody else changed the key meanwhile, for the trial was of a move from another one; `unavailable`.
 */
export async function bringKey(
  parts: EncryptionKeyParts,
  context: RequestContext,
  { keyArn }: { readonly keyArn: string },
): Promise<EncryptionKeyStatus> {
  const { workspaceId } = context.principal;
  const { store, deploymentKeys } = parts;
  authorize(context.principal, 'encryption_key:manage');
  const found = await openWorkspace(store, workspaceId);
  demandFeature(found, parts.defaultPlan, 'customerKey');
  const current = wrappingKeyArn(found, deploymentKeys);
  const faults = faultsOfArn(keyArn, workspaceId, parts);
  if (faults.length > 0) return refuse(parts, context, keyArn, faults);
  previousAfter(found, deploymentKeys.values, keyArn);
  const proven = await proveKey(parts, context, { keyArn, current });
  if (proven.length > 0) return refuse(parts, context, keyArn, proven);

  const after = await retryRefused(async () => {
    const workspace = await openWorkspace(store, workspaceId);
    const present = wrappingKeyArn(workspace, deploymentKeys);
    if (present === keyArn) return unchanged(parts, context, workspace);
    if (present !== current) throw keyChangedMeanwhile();
    // The trial takes its time, in which the plan may have changed.
    demandFeature(workspace, parts.defaultPlan, 'customerKey');
    return changeKey(parts, context, workspace, keyArn);
  });
  return { ...after, usable: true };
}

/** Records why a key was not taken. What is no ARN is not repeated: it may be anything, and even a secret. */
async function refuse(
  { trail }: EncryptionKeyParts,
  context: RequestContext,
  keyArn: string,
  faults: readonly KeyFault[],
): Promise<never> {
  await trail.commit(originOf(context), [
    {
      action: 'encryption_key.changed',
      entity: { type: 'workspace', id: context.principal.workspaceId },
      result: 'failure',
      detail: {
        code: 'key_refused',
        reasons: faults.map(({ code }) => code).join(','),
        ...(parseKeyArn(keyArn) === undefined ? {} : { keyArn }),
      },
    },
  ]);
  throw new VaultError(
    'key_refused',
    'The key was not taken, and nothing was changed. See "errors" for what to put right first.',
    { errors: faults.map(({ reason }) => ({ path: 'keyArn', reason })) },
  );
}

function keyChangedMeanwhile(): VaultError {
  return new VaultError(
    'concurrent_change',
    'Somebody else changed the key of this workspace at the same time. Look at GET /workspace/encryption-key, then decide again.',
  );
}
