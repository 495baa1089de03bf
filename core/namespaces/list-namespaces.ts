import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, maySee } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Page, Store } from '../kernel/store.ts';
import { type Namespace, namespaceKind, namespaceList } from './namespace.ts';

/** The namespaces that the caller may see, by name. A page may hold fewer than `limit` although more follow. */
export async function listNamespaces(
  parts: { readonly store: Store; readonly trail: AuditTrail },
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Namespace>> {
  const { principal } = context;
  authorize(principal, 'namespace:list');
  const { items, ...rest } = await parts.store.list(namespaceKind, {
    list: namespaceList(principal.workspaceId),
    ...page,
  });
  await parts.trail.commit(originOf(context), [
    {
      action: 'namespace.listed',
      entity: { type: 'workspace', id: principal.workspaceId },
      result: 'success',
    },
  ]);
  return { items: items.filter((namespace) => maySee(principal, namespace.id)), ...rest };
}
