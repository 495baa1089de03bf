import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { LaneRef, StoredRow } from '../core/audit/ledger.ts';
import { canonicalJson } from '../core/kernel/canonical-json.ts';
import { type Entity, entityJson, type Kind } from '../core/kernel/entity.ts';
import { VaultError } from '../core/kernel/errors.ts';

/**
 * Every key and index of the two tables.
 *
 * `vault`, entities:  pk `E#<workspace>#<kind>#<id>`, sk `~`; a child stands in its parent's partition, sk
 *                     `<kind>#<order>`, which sorts before `~`: so parent and newest child are one query, backwards.
 *                     Kinds that are found before their workspace is known have `*` in its place.
 * `vault`, index `list`: lk the list's name, lsk the place in it.
 * `vault`, bookkeeping: pk `B#…`, see `bookkeeping.ts`, `webhook-deliveries.ts`, `sync-records.ts` and
 *                     `dynamo-anomaly-states.ts`.
 * `vault`, sealing:   the state of a workspace's log: pk `B#seal#<workspace>`, sk `~`; consecutive rows of a lane that
 *                     are consecutive leaves: pk `B#leaf#<workspace>#<lane>`, sk `<last seq, 16 digits>`, so that the
 *                     first from a row's number on is the one that holds it. See `dynamo-seals.ts`.
 * `audit`, rows:      pk `A#<workspace>#<lane>`, sk `R#<seq, 16 digits>`.
 */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

export const LIST_INDEX = 'list';
export const BOOKKEEPING_PREFIX = 'B#';

/** A raw item of either table. */
export type Item = Record<string, unknown>;

/** Kinds that decide who is calling, and so are read before the workspace is known. Their ids are random or hashes. */
const GLOBAL_KINDS: ReadonlySet<string> = new Set([
  'apiKey',
  'usedSetupToken',
  'installation',
  'session',
  'refreshToken',
  'mfaChallenge',
  'passwordReset',
  'invitation',
  'authorizationCode',
]);
const PARENT_KINDS: { readonly [kind: string]: string } = {
  secretVersion: 'secret',
  secretName: 'namespace',
};
const SELF = '~';

export function isGlobal(kind: { readonly name: string }): boolean {
  return GLOBAL_KINDS.has(kind.name);
}

export function entityKey<E extends Entity>(kind: Kind<E>, workspaceId: string, id: string): ItemKey {
  const parentKind = PARENT_KINDS[kind.name];
  if (parentKind === undefined || kind.childOf === undefined) {
    const scope = isGlobal(kind) ? '*' : workspaceId;
    return { pk: `E#${scope}#${kind.name}#${id}`, sk: SELF };
  }
  const { parentId, order } = kind.childOf(id);
  return { pk: familyKey(workspaceId, parentKind, parentId), sk: `${childPrefix(kind)}${order}` };
}

/** The partition of an entity and its children. */
export function familyKey(workspaceId: string, parentKind: string, parentId: string): string {
  return `E#${workspaceId}#${parentKind}#${parentId}`;
}

export function childrenKey<C extends Entity>(child: Kind<C>, workspaceId: string, parentId: string): string {
  return familyKey(workspaceId, PARENT_KINDS[child.name] ?? '', parentId);
}

export function childPrefix(child: { readonly name: string }): string {
  return `${child.name}#`;
}

/** The key from which a page of a list continues: the index's key and the table's. */
export function listKey<E extends Entity>(kind: Kind<E>, list: string, position: string): Item {
  const [key = '', workspaceId = '', id = ''] = position.split('\n');
  return { lk: list, lsk: key, ...entityKey(kind, workspaceId, id) };
}

/** The item of an entity: its fields as they are, its keys, and the row that explains its last change. */
export function entityItem(
  kind: Kind<Entity>,
  entity: Entity,
  row: { readonly lane: number; readonly seq: number },
): Item {
  const listing = kind.listing?.(entity);
  const expiry = kind.expiry?.(entity);
  return {
    ...entity,
    ...entityKey(kind, entity.workspaceId, entity.id),
    rowLane: row.lane,
    rowSeq: row.seq,
    ...(listing === undefined ? {} : { lk: listing.list, lsk: listing.key }),
    // DynamoDB's time to live counts whole seconds.
    ...(expiry === undefined ? {} : { ttl: Math.ceil(expiry / 1000) }),
  };
}

/** The fields of an item that belong to the entity. */
export function entityFields(item: Item): Entity {
  const { pk, sk, lk, lsk, ttl, rowLane, rowSeq, ...fields } = item;
  return fields as unknown as Entity;
}

/**
 * The entity in an item.
 *
 * @throws VaultError `internal` when the content does not fit the kind's schema, or says to be another entity than the
 * key does: somebody else than the vault wrote it.
 */
export function readEntity<E extends Entity>(kind: Kind<E>, item: Item): E {
  const parsed = kind.schema.safeParse(entityFields(item));
  if (!parsed.success) throw damaged(kind.name, parsed.error);
  const { pk, sk } = entityKey(kind, parsed.data.workspaceId, parsed.data.id);
  if (pk !== item['pk'] || sk !== item['sk']) throw damaged(kind.name);
  return parsed.data;
}

function damaged(kind: string, cause?: unknown): VaultError {
  return new VaultError('internal', `A stored ${kind} is damaged, so it was not used. Tell your operator.`, {
    cause,
  });
}

/** Whether two items are the same, binary attributes included. */
export function sameItem(left: Item, right: Item): boolean {
  try {
    return itemText(left) === itemText(right);
  } catch (error) {
    // A type that the vault never stores, such as a set or null.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function itemText(item: Item): string {
  return canonicalJson(entityJson(item as unknown as Entity));
}

const SEQ_DIGITS = 16;

export function laneKey({ workspaceId, lane }: LaneRef): string {
  return `A#${workspaceId}#${lane}`;
}

/** The lane that a partition of the audit table belongs to; an empty workspace for a key that is none of a lane's. */
export function readLaneKey(pk: string): LaneRef {
  const [, workspaceId = '', lane = '0'] = /^A#([^#]+)#(\d{1,5})$/.exec(pk) ?? [];
  return { workspaceId, lane: Number(lane) };
}

export function rowKey(lane: LaneRef, seq: number): ItemKey {
  return { pk: laneKey(lane), sk: `R#${String(seq).padStart(SEQ_DIGITS, '0')}` };
}

export function rowItem(row: StoredRow): Item {
  return {
    ...rowKey(row, row.seq),
    b: row.bytes,
    h: Buffer.from(row.hash, 'hex'),
    eid: Buffer.from(row.nonce, 'hex'),
  };
}

/** Sequence numbers that the vault gives out itself; whatever lies beyond was planted. */
const MAX_SEQ = 10 ** (SEQ_DIGITS - 1) - 1;

/** The keys between which the vault looks for a lane's last row. */
export function laneKeys(lane: LaneRef): { readonly first: string; readonly last: string } {
  return { first: rowKey(lane, 1).sk, last: rowKey(lane, MAX_SEQ).sk };
}

/** An item as DynamoDB sends it: not converted, since an item that somebody planted may not be convertible. */
export type RawItem = Record<string, AttributeValue>;

/**
 * A row as it lies in the table. Missing attributes read as empty, and then fail verification; a key that is not of a
 * row's form reads as `seq` 0.
 */
export function readRowItem(lane: LaneRef, item: RawItem): StoredRow {
  const seq = /^R#(\d{16})$/.exec(item['sk']?.S ?? '')?.[1];
  return {
    workspaceId: lane.workspaceId,
    lane: lane.lane,
    seq: Number(seq ?? 0),
    bytes: item['b']?.B ?? new Uint8Array(),
    hash: Buffer.from(item['h']?.B ?? []).toString('hex'),
    nonce: Buffer.from(item['eid']?.B ?? []).toString('hex'),
  };
}

export function sealKey(workspaceId: string): ItemKey {
  return { pk: `${BOOKKEEPING_PREFIX}seal#${workspaceId}`, sk: SELF };
}

export function leafKey(workspaceId: string, lane: number, lastSeq: number): ItemKey {
  return {
    pk: `${BOOKKEEPING_PREFIX}leaf#${workspaceId}#${lane}`,
    sk: String(lastSeq).padStart(SEQ_DIGITS, '0'),
  };
}

/** The shapes of all items that are no entities. Anything else with their prefix was planted. */
const BOOKKEEPING_SHAPES: ReadonlySet<string> = new Set([
  'pk sk usedAt',
  'pk sk tallied',
  'pk sk tallied ttl',
  'pk seenAt sk ttl',
  'failures pk sk ttl version',
  'minute pk sk',
  'pk sk state version',
  'pk sk state ttl version',
  'firstLeaf firstSeq pk sk',
  'delivery pk sk version',
  'delivery pk sk ttl',
]);

export function isBookkeeping(item: RawItem): boolean {
  return (
    item['pk']?.S?.startsWith(BOOKKEEPING_PREFIX) === true &&
    BOOKKEEPING_SHAPES.has(Object.keys(item).sort().join(' '))
  );
}
