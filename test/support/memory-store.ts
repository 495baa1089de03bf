import { isGlobal } from '../../aws/items.ts';
import { type Entity, type EntityRef, type Kind, listPosition } from '../../core/kernel/entity.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import type { Page, Store } from '../../core/kernel/store.ts';

/** An entity as it is stored: a copy of its own, and the position of the row that explains its last change. */
export interface StoredEntity {
  readonly entity: Entity;
  readonly row: { readonly lane: number; readonly seq: number };
}

/** Kinds that are found without their workspace have one key for all, as in the table. */
export function entityKey({ kind, workspaceId, id }: EntityRef): string {
  return `${kind}#${isGlobal({ name: kind }) ? '*' : workspaceId}#${id}`;
}

/** `structuredClone` would do, but gives objects of another realm under jest, which are no plain objects there. */
export function deepCopy<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T;
  if (Array.isArray(value)) return value.map(deepCopy) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, deepCopy(member)])) as T;
}

type PerformCall = <T>(name: string, work: () => T) => Promise<T>;

/** The `Store` port over a map of entities. `call` performs each read with its faults. */
export function memoryStore(entities: ReadonlyMap<string, StoredEntity>, call: PerformCall): Store {
  const byId = <E extends Entity>(kind: Kind<E>, workspaceId: string, id: string): E | undefined => {
    const entity = read(kind, entities.get(entityKey({ kind: kind.name, workspaceId, id })));
    return entity?.workspaceId === workspaceId ? entity : undefined;
  };

  const all = <E extends Entity>(kind: Kind<E>, where: (ref: EntityRef) => boolean): E[] =>
    [...entities.values()]
      .filter(({ entity }) => entity.kind === kind.name && where(entity))
      .flatMap((stored) => read(kind, stored) ?? []);

  /** Highest order first. */
  const children = <C extends Entity>(child: Kind<C>, workspaceId: string, parentId: string): C[] =>
    all(child, (ref) => ref.workspaceId === workspaceId && place(child, ref.id).parentId === parentId).sort(
      (a, b) => compareUtf8(place(child, b.id).order, place(child, a.id).order),
    );

  return {
    get: (kind, workspaceId, id) => call('store.get', () => byId(kind, workspaceId, id)),
    getMany: (kind, workspaceId, ids) =>
      call('store.getMany', () => {
        if (ids.length > 100) throw new TypeError('At most 100 ids can be read at once.');
        return ids.flatMap((id) => byId(kind, workspaceId, id) ?? []);
      }),
    find: (kind, id) => call('store.find', () => all(kind, (ref) => ref.id === id)[0]),
    list: (kind, { list, prefix = '', after, limit }) =>
      call('store.list', () => {
        const entries = all(kind, () => true)
          .filter((entity) => kind.listing?.(entity).list === list)
          .filter((entity) => kind.listing?.(entity).key.startsWith(prefix))
          .sort((a, b) => comparePositions(listPosition(kind, a), listPosition(kind, b)))
          .filter((entity) => after === undefined || comparePositions(listPosition(kind, entity), after) > 0);
        return page(entries, limit, (entity) => listPosition(kind, entity));
      }),
    getWithNewest: (parent, child, workspaceId, id) =>
      call('store.getWithNewest', () => {
        const found = byId(parent, workspaceId, id);
        return found && { parent: found, newest: children(child, workspaceId, id)[0] };
      }),
    listChildren: (child, workspaceId, parentId, { after, limit }) =>
      call('store.listChildren', () => {
        const isAfter = (id: string): boolean =>
          after === undefined || compareUtf8(place(child, id).order, place(child, after).order) < 0;
        const entries = children(child, workspaceId, parentId).filter(({ id }) => isAfter(id));
        return page(entries, limit, ({ id }) => id);
      }),
  };
}

function read<E extends Entity>(kind: Kind<E>, stored: StoredEntity | undefined): E | undefined {
  if (stored === undefined) return undefined;
  const parsed = kind.schema.safeParse(deepCopy(stored.entity));
  if (parsed.success) return parsed.data;
  throw new VaultError('internal', `A stored ${kind.name} is damaged. Tell your operator.`, {
    cause: parsed.error,
  });
}

function place<E extends Entity>(kind: Kind<E>, id: string): { parentId: string; order: string } {
  if (kind.childOf === undefined) throw new TypeError(`The kind ${kind.name} has no parents.`);
  return kind.childOf(id);
}

function page<E extends Entity>(
  entries: readonly E[],
  limit: number,
  position: (entity: E) => string,
): Page<E> {
  const items = entries.slice(0, limit);
  const last = items.at(-1);
  return last === undefined || entries.length === items.length ? { items } : { items, next: position(last) };
}

/** By key, then by workspace and id, each as DynamoDB sorts strings. */
function comparePositions(a: string, b: string): number {
  const [aParts, bParts] = [a.split('\n'), b.split('\n')];
  return (
    aParts.map((part, index) => compareUtf8(part, bParts[index] ?? '')).find((order) => order !== 0) ?? 0
  );
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
