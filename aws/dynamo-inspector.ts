import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { EntityInspector, InspectedEntity } from '../core/audit/entity-inspector.ts';
import type { Entity, Kind } from '../core/kernel/entity.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import {
  entityFields,
  entityItem,
  entityKey,
  type Item,
  type ItemKey,
  isBookkeeping,
  type RawItem,
  sameItem,
} from './items.ts';

/** The `EntityInspector` port on the table `vault`. Whatever lies there, it tells of it: a forger must not stop it. */
export function createDynamoInspector(
  client: DynamoDBDocumentClient,
  table: string,
  kinds: ReadonlyMap<string, Kind<Entity>>,
): EntityInspector {
  return {
    async inspect(workspaceId, names) {
      const keys = names.map(({ kind, id }) => {
        const known = kinds.get(kind);
        return known === undefined ? undefined : entityKey(known, workspaceId, id);
      });
      const wanted = keys.filter((key) => key !== undefined);
      const unique = [...new Map(wanted.map((key) => [keyText(key), key])).values()];
      try {
        const items = await batchGet(client, table, unique);
        const byKey = new Map(items.map((item) => [keyText(rawKey(item)), inspectItem(kinds, item)]));
        return keys.map((key) => (key === undefined ? undefined : byKey.get(keyText(key))));
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    async scanPage(after) {
      const command = new ScanCommand({
        TableName: table,
        ConsistentRead: true,
        ...(after === undefined ? {} : { ExclusiveStartKey: readPosition(after) }),
      });
      const { Items: items = [], LastEvaluatedKey: last } = await client.send(command).catch((error) => {
        throw storeUnavailable(error);
      });
      const entities = items.filter((item) => !isBookkeeping(item)).map((item) => inspectItem(kinds, item));
      return last === undefined ? { entities } : { entities, next: positionOf(last) };
    },
  };
}

/** An item of the vault table as an entity, whatever it is: a forger's item must not stop whoever looks. */
export function inspectItem(kinds: ReadonlyMap<string, Kind<Entity>>, raw: RawItem): InspectedEntity {
  const item = converted(raw);
  const { workspaceId, kind: name, id } = entityFields(item);
  const kind = typeof name === 'string' ? kinds.get(name) : undefined;
  const parsed = kind?.schema.safeParse(entityFields(item));
  const entity = parsed?.success ? parsed.data : undefined;
  const row = { lane: numberOf(item['rowLane']), seq: numberOf(item['rowSeq']) };
  return {
    workspaceId: textOf(workspaceId),
    kind: textOf(name),
    // An item that names no id is told by its key.
    id: textOf(id) || textOf(item['pk']),
    entity,
    row,
    exact: kind !== undefined && entity !== undefined && sameItem(item, entityItem(kind, entity, row)),
  };
}

/** Where a page of a scan ends, as text: either key may be any string. */
function positionOf(last: RawItem): string {
  const { pk, sk } = rawKey(last);
  return JSON.stringify([pk, sk]);
}

function readPosition(position: string): RawItem {
  const [pk = '', sk = ''] = JSON.parse(position) as string[];
  return { pk: { S: pk }, sk: { S: sk } };
}

/** The item's attributes; only its key, where somebody put in what no JavaScript value stands for. */
function converted(raw: RawItem): Item {
  try {
    return unmarshall(raw);
  } catch {
    return { ...rawKey(raw) };
  }
}

function rawKey({ pk, sk }: RawItem): ItemKey {
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

const MAX_TEXT = 300;

/** Names as the vault gives them are text of bounded length; a forger's may be anything. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.toWellFormed().slice(0, MAX_TEXT) : '';
}

function keyText({ pk, sk }: ItemKey): string {
  return `${pk}\n${sk}`;
}
