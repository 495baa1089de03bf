import { type Entity, type Kind, listPosition } from './entity.ts';
import type { ListQuery, Page, Store } from './store.ts';

/** A request reads at most this many entries of the list; a cursor goes on from there. */
const MAX_EXAMINED = 1_000;
const BATCH = 100;

/**
 * The entries of a list that pass a filter, in the list's order. A page may be short, or even empty, and still have a
 * `next`: one request looks at a bounded part of the list.
 */
export async function filteredPage<E extends Entity>(
  store: Store,
  kind: Kind<E>,
  query: Pick<ListQuery, 'list' | 'prefix'>,
  passes: (entity: E) => boolean,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<E>> {
  const items: E[] = [];
  let after = page.after;
  for (let examined = 0; examined < MAX_EXAMINED; examined += BATCH) {
    const batch = await store.list(kind, {
      ...query,
      limit: BATCH,
      ...(after === undefined ? {} : { after }),
    });
    for (const entity of batch.items) {
      if (!passes(entity)) continue;
      if (items.length === page.limit) return { items, next: listPosition(kind, items.at(-1) ?? entity) };
      items.push(entity);
    }
    if (batch.next === undefined) return { items };
    after = batch.next;
  }
  return { items, ...(after === undefined ? {} : { next: after }) };
}
