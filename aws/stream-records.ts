import type { TableChange } from '../core/detection/table-change.ts';
import type { Entity, Kind } from '../core/kernel/entity.ts';
import { inspectItem } from './dynamo-inspector.ts';
import { isBookkeeping, type RawItem, readLaneKey, readRowItem } from './items.ts';

/** An attribute as Lambda hands it over: JSON, so that binary values are base64. */
interface StreamAttribute {
  readonly B?: string | undefined;
  readonly BS?: readonly string[] | undefined;
  readonly L?: readonly StreamAttribute[] | undefined;
  readonly M?: { readonly [name: string]: StreamAttribute } | undefined;
}

type StreamImage = { readonly [name: string]: StreamAttribute };

/** A record of a table's stream, as far as it is used (AWS, "DynamoDB Streams and Lambda"). */
export interface StreamRecord {
  readonly eventName?: 'INSERT' | 'MODIFY' | 'REMOVE' | undefined;
  readonly eventSourceARN?: string | undefined;
  readonly userIdentity?: { readonly type?: string; readonly principalId?: string } | null;
  readonly dynamodb?:
    | {
        /** Seconds since the epoch. */
        readonly ApproximateCreationDateTime?: number | undefined;
        readonly OldImage?: StreamImage | undefined;
        readonly NewImage?: StreamImage | undefined;
      }
    | undefined;
}

/** Reads a record of the stream of either table; `undefined` for what nobody has to look at. */
export function readTableChange(
  { vaultTable, auditTable }: { readonly vaultTable: string; readonly auditTable: string },
  kinds: ReadonlyMap<string, Kind<Entity>>,
  record: StreamRecord,
): TableChange | undefined {
  const table = tableOf(record.eventSourceARN ?? '');
  const before = image(record.dynamodb?.OldImage);
  const after = image(record.dynamodb?.NewImage);
  if (table === auditTable) return rowChange(record, before, after);
  if (table !== vaultTable) throw new Error(`The stream of ${table} is none that the guard knows.`);
  if ([before, after].every((item) => item === undefined || isBookkeeping(item))) return undefined;
  return {
    table: 'vault',
    before: before && inspectItem(kinds, before),
    after: after && inspectItem(kinds, after),
    at: (record.dynamodb?.ApproximateCreationDateTime ?? 0) * 1000,
    expired:
      record.userIdentity?.type === 'Service' && record.userIdentity.principalId === 'dynamodb.amazonaws.com',
  };
}

function rowChange(
  { eventName }: StreamRecord,
  before: RawItem | undefined,
  after: RawItem | undefined,
): TableChange | undefined {
  const item = eventName === 'INSERT' ? after : before;
  if (item === undefined) return undefined;
  const lane = readLaneKey(item['pk']?.S ?? '');
  const row = readRowItem(lane, item);
  if (eventName === 'INSERT') return { table: 'audit', op: 'added', row };
  return { table: 'audit', op: eventName === 'REMOVE' ? 'removed' : 'modified', ...lane, seq: row.seq };
}

/** `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>` */
function tableOf(arn: string): string {
  return /:table\/([^/]+)\/stream\//.exec(arn)?.[1] ?? '';
}

function image(attributes: StreamImage | undefined): RawItem | undefined {
  if (attributes === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, attribute(value)]),
  ) as RawItem;
}

function attribute(value: StreamAttribute): object {
  if (value.B !== undefined) return { B: Buffer.from(value.B, 'base64') };
  if (value.BS !== undefined) return { BS: value.BS.map((each) => Buffer.from(each, 'base64')) };
  if (value.L !== undefined) return { L: value.L.map(attribute) };
  if (value.M !== undefined) {
    return {
      M: Object.fromEntries(Object.entries(value.M).map(([name, member]) => [name, attribute(member)])),
    };
  }
  return value;
}
