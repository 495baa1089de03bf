import type { Entity, Kind } from '../kernel/entity.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { ListQuery, Store } from '../kernel/store.ts';

/** Entries read at once, and at most the ids of one consistent read. */
const PAGE = 100;

/** A list page by page, each as the table says it is now: lists lag behind, and what is removed has to be current. */
export async function* currentPages<E extends Entity>(
  store: Store,
  kind: Kind<E>,
  workspaceId: string,
  query: Pick<ListQuery, 'list' | 'prefix'>,
): AsyncGenerator<readonly E[]> {
  for await (const page of listPages(store, kind, { ...query, limit: PAGE })) {
    const ids = page.map(({ id }) => id);
    yield ids.length === 0 ? [] : await store.getMany(kind, workspaceId, ids);
  }
}

/** Parts of at most `size` items, in order. */
export function slicesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
