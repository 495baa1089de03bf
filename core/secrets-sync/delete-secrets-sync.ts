import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { remove } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import type { ReadingParts } from './get-secrets-sync.ts';
import { secretsSyncKind, targetText } from './secrets-sync.ts';

/**
 * Ends a sync. Copies stay as they are where they are: what runs there may depend on them, and they are their owner's.
 * Whoever wants them gone sets the sync to no namespaces first, and ends it once none is left.
 *
 * @throws VaultError `not_found`; `precondition_failed`; `concurrent_change`.
 */
export async function deleteSecretsSync(
  { store, trail, syncSite }: Pick<ReadingParts, 'store' | 'trail' | 'syncSite'>,
  context: RequestContext,
): Promise<void> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'secrets_sync:manage');
  const sync = await store.get(secretsSyncKind, workspaceId, workspaceId);
  checkPrecondition(context.precondition, sync);
  if (sync === undefined) throw notFound('secrets sync');
  await trail.commit(originOf(context), [
    {
      action: 'secrets_sync.deleted',
      entity: { type: 'secrets_sync', id: workspaceId },
      result: 'success',
      detail: { target: targetText(syncSite, sync) },
      changes: [remove(secretsSyncKind, sync)],
    },
  ]);
}
