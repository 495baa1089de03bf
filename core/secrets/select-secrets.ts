import type { Principal } from '../access/principal.ts';
import { maySee } from '../access/role.ts';
import { listPosition } from '../kernel/entity.ts';
import type { ListQuery, Page, Store } from '../kernel/store.ts';
import { deletedSecretList, type Secret, secretKind, secretList } from './secret.ts';

export interface SecretFilter {
  readonly namespace?: string | undefined;
  readonly tag?: string | undefined;
  readonly isCUI?: boolean | undefined;
  /** Part of the name or the description, in any case. */
  readonly q?: string | undefined;
  /** Only deleted secrets that can still be restored; by default none of them. */
  readonly deleted?: boolean | undefined;
}

/** A request reads at most this many entries of the list; a cursor goes on from there. */
const MAX_EXAMINED = 1_000;
const BATCH = 100;

/**
 * The secrets that the principal may see and that pass the filter, in the list's order. A page may be short, or even
 * empty, and still have a `next`: one request looks at a bounded part of the list.
 */
export async function selectSecrets(
  store: Store,
  principal: Principal,
  filter: SecretFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Secret>> {
  const passes = (secret: Secret): boolean => maySee(principal, secret.namespace) && fits(secret, filter);
  const query = listQuery(principal.workspaceId, filter);
  const items: Secret[] = [];
  let after = page.after;
  for (let examined = 0; examined < MAX_EXAMINED; examined += BATCH) {
    const batch = await store.list(secretKind, {
      ...query,
      limit: BATCH,
      ...(after === undefined ? {} : { after }),
    });
    for (const secret of batch.items) {
      if (!passes(secret)) continue;
      if (items.length === page.limit)
        return { items, next: listPosition(secretKind, items.at(-1) ?? secret) };
      items.push(secret);
    }
    if (batch.next === undefined) return { items };
    after = batch.next;
  }
  return { items, ...(after === undefined ? {} : { next: after }) };
}

function listQuery(
  workspaceId: string,
  { deleted, namespace }: SecretFilter,
): Pick<ListQuery, 'list' | 'prefix'> {
  if (deleted) return { list: deletedSecretList(workspaceId) };
  return { list: secretList(workspaceId), ...(namespace === undefined ? {} : { prefix: `${namespace}/` }) };
}

function fits(secret: Secret, { namespace, tag, isCUI, q }: SecretFilter): boolean {
  if (namespace !== undefined && secret.namespace !== namespace) return false;
  if (tag !== undefined && !secret.tags.includes(tag)) return false;
  if (isCUI !== undefined && secret.isCUI !== isCUI) return false;
  if (q === undefined) return true;
  const wanted = q.toLowerCase();
  return `${secret.name}\n${secret.description ?? ''}`.toLowerCase().includes(wanted);
}
