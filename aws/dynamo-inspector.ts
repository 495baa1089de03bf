import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { EntityInspector, InspectedEntity } from '../core/audit/entity-inspector.ts';
import type { Entity, Kind } from '../core/kernel/entity.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, entityFields, entityItem, entityKey, type Item, sameItem } from './items.ts';

/** The `EntityInspector` port on the table `vault`. */
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
        const byKey = new Map(items.map((item) => [keyText(item), inspected(kinds, item)]));
        return keys.map((key) => (key === undefined ? undefined : byKey.get(keyText(key))));
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    async *scan() {
      let from: Item | undefined;
      do {
        const command = new ScanCommand({
          TableName: table,
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        const { Items: items = [], LastEvaluatedKey: last } = await client.send(command).catch((error) => {
          throw storeUnavailable(error);
        });
        yield items
          .filter((item) => !String(item['pk']).startsWith(BOOKKEEPING_PREFIX))
          .map((item) => inspected(kinds, item));
        from = last;
      } while (from !== undefined);
    },
  };
}

function inspected(kinds: ReadonlyMap<string, Kind<Entity>>, item: Item): InspectedEntity {
  const fields = entityFields(item);
  const kind = kinds.get(String(fields.kind));
  const parsed = kind?.schema.safeParse(fields);
  const row = { lane: numberOf(item['rowLane']), seq: numberOf(item['rowSeq']) };
  const entity = parsed?.success ? parsed.data : undefined;
  return {
    workspaceId: String(fields.workspaceId ?? ''),
    kind: String(fields.kind ?? ''),
    // An item that names no id is told by its key.
    id: String(fields.id ?? item['pk']),
    entity,
    row,
    exact: kind !== undefined && entity !== undefined && sameItem(item, entityItem(kind, entity, row)),
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function keyText(key: { readonly pk?: unknown; readonly sk?: unknown }): string {
  return `${String(key.pk)}\n${String(key.sk)}`;
}
