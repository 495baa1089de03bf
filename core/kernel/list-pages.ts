import type { Entity, Kind } from './entity.ts';
import type { ListQuery, Store } from './store.ts';

/** A list, whole or from after a place in it on, page by page, in its order. Pages are read as they are asked for. */
export async function* listPages<E extends Entity>(
  store: Store,
  kind: Kind<E>,
  query: ListQuery,
): AsyncGenerator<readonly E[]> {
  let { after } = query;
  do {
    const page = await store.list(kind, { ...query, ...(after === undefined ? {} : { after }) });
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}
