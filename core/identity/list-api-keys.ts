import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Page, Store } from '../kernel/store.ts';
import { type ApiKey, apiKeyKind, apiKeyList } from './api-key.ts';
import type { Bookkeeping } from './bookkeeping.ts';

export interface ListedApiKey {
  readonly apiKey: ApiKey;
  /** Exact to five minutes. */
  readonly lastUsedAt: string | undefined;
}

/** The workspace's keys, oldest first, revoked ones included. */
export async function listApiKeys(
  parts: { readonly store: Store; readonly trail: AuditTrail; readonly bookkeeping: Bookkeeping },
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<ListedApiKey>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'api_key:list');
  const { items, ...rest } = await parts.store.list(apiKeyKind, { list: apiKeyList(workspaceId), ...page });
  const lastUsed = await parts.bookkeeping.lastUsed(
    workspaceId,
    items.map((key) => key.id),
  );
  await parts.trail.commit(originOf(context), [
    { action: 'api_key.listed', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  return { items: items.map((apiKey) => ({ apiKey, lastUsedAt: lastUsed.get(apiKey.id) })), ...rest };
}
