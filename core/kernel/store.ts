import type { Entity, Kind } from './entity.ts';

export interface ListQuery {
  /** The list's name, as {@link Kind.listing} spells it; it contains the workspace, so a list never crosses tenants. */
  readonly list: string;
  /** Only entries whose key starts with this. */
  readonly prefix?: string;
  /** Start after this place: an earlier page's `next`, or the `listPosition` of any entry. */
  readonly after?: string;
  /** At most this many entries a page. */
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The position to continue from; absent on the last page. */
  readonly next?: string;
}

/**
 * Reading entities. Reads by id are strongly consistent and tell an absent entity and another workspace's apart
 * from nothing: both are `undefined`. Lists may lag a moment behind. There is no way to write here: see
 * `AuditTrail.commit`.
 *
 * @throws VaultError `unavailable` when the store does not answer; VaultError `internal` when what it holds does not
 * fit the kind's schema (fail closed).
 */
export interface Store {
  get<E extends Entity>(kind: Kind<E>, workspaceId: string, id: string): Promise<E | undefined>;
  /** At most 100 ids; in no particular order; those that are absent are left out. */
  getMany<E extends Entity>(
    kind: Kind<E>,
    workspaceId: string,
    ids: readonly string[],
  ): Promise<readonly E[]>;
  /** By id alone, whatever the workspace: only for finding out who is calling. */
  find<E extends Entity>(kind: Kind<E>, id: string): Promise<E | undefined>;
  list<E extends Entity>(kind: Kind<E>, query: ListQuery): Promise<Page<E>>;
  /** An entity and its child of the highest order (the newest), in one read. */
  getWithNewest<P extends Entity, C extends Entity>(
    parent: Kind<P>,
    child: Kind<C>,
    workspaceId: string,
    id: string,
  ): Promise<{ readonly parent: P; readonly newest: C | undefined } | undefined>;
  /** An entity's children, highest order (newest) first, read consistently; `after` is the id of the last one seen. */
  listChildren<C extends Entity>(
    child: Kind<C>,
    workspaceId: string,
    parentId: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Page<C>>;
}
