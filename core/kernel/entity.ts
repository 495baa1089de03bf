import { hash } from 'node:crypto';
import type * as z from 'zod';
import { canonicalJson, type Json } from './canonical-json.ts';

/**
 * Every stored thing: what it is, whose it is, and how often it has changed. `revision` starts at 1 and rises by one
 * with each change; a change names the revision it expects, so that two writers cannot both win.
 */
export interface Entity {
  readonly kind: string;
  readonly workspaceId: string;
  readonly id: string;
  readonly revision: number;
}

/** Names an entity without its content. */
export type EntityRef = Pick<Entity, 'kind' | 'workspaceId' | 'id'>;

/** Where an entity appears among others: the list's name, and its place in it (lists are sorted by `key`). */
export interface Listing {
  readonly list: string;
  readonly key: string;
}

/** A place in a list that a later page can start after: the entry's sort key, workspace and id, on a line each. */
export function listPosition<E extends Entity>(kind: Kind<E>, entity: E): string {
  return `${kind.listing?.(entity).key ?? ''}\n${entity.workspaceId}\n${entity.id}`;
}

/** A kind of entity: its closed schema, checked on every read, and its place in lists. */
export interface Kind<E extends Entity> {
  readonly name: E['kind'];
  readonly schema: z.ZodType<E>;
  readonly listing?: (entity: E) => Listing;
  /** For kinds whose entities belong to another one: reads the parent's id and the place among its children off an id. */
  readonly childOf?: (id: string) => { readonly parentId: string; readonly order: string };
  /** For kinds that the store may forget by itself: from when, in epoch milliseconds. */
  readonly expiry?: (entity: E) => number;
}

/** What a use case wants done to the store. Only {@link file://../audit/trail.ts} carries it out, with its audit row. */
export type Change =
  | {
      readonly op: 'put';
      readonly kind: Kind<Entity>;
      readonly entity: Entity;
      readonly expect: 'absent' | number;
    }
  | {
      readonly op: 'remove';
      readonly kind: Kind<Entity>;
      readonly entity: Entity;
      /** `absent` where it is gone already, and only its row is missing. */
      readonly expect: 'absent' | number;
    }
  | { readonly op: 'check'; readonly kind: Kind<Entity>; readonly entity: Entity; readonly expect: number };

type Content<E extends Entity> = Omit<E, 'kind' | 'revision'>;

/** The first revision of an entity; refused if one with its id exists. */
export function create<E extends Entity>(
  kind: Kind<E>,
  content: Content<E>,
): Change & { readonly entity: E } {
  const entity = { ...defined(content), kind: kind.name, revision: 1 } as unknown as E;
  return { op: 'put', kind: anyKind(kind), entity, expect: 'absent' };
}

/** The next revision of an entity; refused if it has changed since it was read. `undefined` in `patch` drops a field. */
export function update<E extends Entity>(
  kind: Kind<E>,
  previous: E,
  patch: { readonly [K in keyof Content<E>]?: Content<E>[K] | undefined },
): Change & { readonly entity: E } {
  const entity = { ...defined({ ...previous, ...patch }), revision: previous.revision + 1 } as unknown as E;
  return { op: 'put', kind: anyKind(kind), entity, expect: previous.revision };
}

function defined(content: object): object {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}

export function remove<E extends Entity>(kind: Kind<E>, entity: E): Change {
  return { op: 'remove', kind: anyKind(kind), entity, expect: entity.revision };
}

/** Changes nothing, but refuses the whole commit if the entity is no longer as it was read. */
export function check<E extends Entity>(kind: Kind<E>, entity: E): Change {
  return { op: 'check', kind: anyKind(kind), entity, expect: entity.revision };
}

/** The content of an entity as JSON: binary fields as base64 (RFC 4648 section 4, padded). */
export function entityJson(entity: Entity): Json {
  return Object.fromEntries(
    Object.entries(entity).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : (value as Json),
    ]),
  );
}

/** SHA-256, lower-case hex, of the entity's canonical JSON. An audit row that changes an entity carries this. */
export function entityDigest(entity: Entity): string {
  return hash('sha256', canonicalJson(entityJson(entity)), 'hex');
}

/** Stands for the digest of an entity that a row removed. */
export const REMOVED_DIGEST = '0'.repeat(64);

/** Kinds differ in their entity type; lists of changes hold all of them. Safe: a change's kind and entity agree. */
export function anyKind<E extends Entity>(kind: Kind<E>): Kind<Entity> {
  return kind as unknown as Kind<Entity>;
}
