import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { remove, update } from '../kernel/entity.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { secretNameKind } from '../secrets/secret.ts';
import { type Namespace, namespaceKind } from './namespace.ts';

interface Parts {
  readonly store: Store;
  readonly trail: AuditTrail;
}

/**
 * Deletes a namespace that holds no secrets, deleted ones that can still be restored included.
 *
 * In two steps, because "it is empty" and "remove it" cannot be one: first it is closed, so that nothing can be put
 * into it any more; then, if it is empty, it goes, and else it is opened again. A crash between leaves it closed;
 * deleting it again goes on from there.
 *
 * @throws VaultError `namespace_not_empty`
 */
export async function deleteNamespace(parts: Parts, context: RequestContext, name: string): Promise<void> {
  const { store, trail } = parts;
  const { workspaceId } = context.principal;
  authorize(context.principal, 'namespace:delete', name);
  const namespace = await store.get(namespaceKind, workspaceId, name);
  if (namespace === undefined) throw notFound('namespace');

  const commit = async (
    action: 'namespace.closed' | 'namespace.reopened',
    next: Namespace['state'],
    from: Namespace,
  ) => {
    const change = update(namespaceKind, from, { state: next });
    await trail.commit(originOf(context), [
      { action, entity: { type: 'namespace', id: name }, result: 'success', changes: [change] },
    ]);
    return change.entity;
  };
  const closed =
    namespace.state === 'closing' ? namespace : await commit('namespace.closed', 'closing', namespace);
  const { items } = await store.listChildren(secretNameKind, workspaceId, name, { limit: 1 });
  if (items.length > 0) {
    await commit('namespace.reopened', 'open', closed);
    throw new VaultError(
      'namespace_not_empty',
      `The namespace ${name} still holds secrets. Delete and purge them first; deleted ones count until they are purged.`,
    );
  }
  await trail.commit(originOf(context), [
    {
      action: 'namespace.deleted',
      entity: { type: 'namespace', id: name },
      result: 'success',
      changes: [remove(namespaceKind, closed)],
    },
  ]);
}
