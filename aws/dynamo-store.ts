import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type Entity, type Kind, listPosition } from '../core/kernel/entity.ts';
import type { Page, Store } from '../core/kernel/store.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import {
  childPrefix,
  childrenKey,
  entityKey,
  familyKey,
  type Item,
  isGlobal,
  LIST_INDEX,
  listKey,
  readEntity,
} from './items.ts';

/** The `Store` port on the table `vault`. */
export function createDynamoStore(client: DynamoDBDocumentClient, table: string): Store {
  const getItem = async <E extends Entity>(
    kind: Kind<E>,
    workspaceId: string,
    id: string,
  ): Promise<E | undefined> => {
    const command = new GetCommand({
      TableName: table,
      Key: entityKey(kind, workspaceId, id),
      ConsistentRead: true,
    });
    const { Item: item } = await answered(client.send(command));
    return item === undefined ? undefined : readEntity(kind, item);
  };
  const query = (input: Omit<QueryCommandInput, 'TableName'>) =>
    answered(client.send(new QueryCommand({ TableName: table, ...input })));

  return {
    async get(kind, workspaceId, id) {
      const entity = await getItem(kind, workspaceId, id);
      return entity?.workspaceId === workspaceId ? entity : undefined;
    },

    async getMany(kind, workspaceId, ids) {
      const keys = [...new Set(ids)].map((id) => entityKey(kind, workspaceId, id));
      const items = await answered(batchGet(client, table, keys));
      return items
        .map((item) => readEntity(kind, unmarshall(item)))
        .filter((entity) => entity.workspaceId === workspaceId);
    },

    async find(kind, id) {
      if (!isGlobal(kind)) throw new TypeError(`A ${kind.name} cannot be found without its workspace.`);
      return getItem(kind, '*', id);
    },

    async list(kind, { list, prefix, after, limit }) {
      const { Items: items = [], LastEvaluatedKey: last } = await query({
        IndexName: LIST_INDEX,
        KeyConditionExpression:
          prefix === undefined ? 'lk = :list' : 'lk = :list AND begins_with(lsk, :prefix)',
        ExpressionAttributeValues: { ':list': list, ...(prefix === undefined ? {} : { ':prefix': prefix }) },
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: listKey(kind, list, after) }),
      });
      return page(kind, items, last, (entity) => listPosition(kind, entity));
    },

    async getWithNewest(parent, child, workspaceId, id) {
      const { Items: items = [] } = await query({
        KeyConditionExpression: 'pk = :family',
        ExpressionAttributeValues: { ':family': familyKey(workspaceId, parent.name, id) },
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: 2,
      });
      const [first, second] = items;
      if (first?.['kind'] !== parent.name) return undefined;
      return {
        parent: readEntity(parent, first),
        newest: second?.['kind'] === child.name ? readEntity(child, second) : undefined,
      };
    },

    async listChildren(child, workspaceId, parentId, { after, limit }) {
      const { Items: items = [], LastEvaluatedKey: last } = await query({
        KeyConditionExpression: 'pk = :family AND begins_with(sk, :child)',
        ExpressionAttributeValues: {
          ':family': childrenKey(child, workspaceId, parentId),
          ':child': childPrefix(child),
        },
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: entityKey(child, workspaceId, after) }),
      });
      return page(child, items, last, (entity) => entity.id);
    },
  };
}

function page<E extends Entity>(
  kind: Kind<E>,
  items: readonly Item[],
  last: Item | undefined,
  position: (entity: E) => string,
): Page<E> {
  const entities = items.map((item) => readEntity(kind, item));
  const end = entities.at(-1);
  return last === undefined || end === undefined
    ? { items: entities }
    : { items: entities, next: position(end) };
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw storeUnavailable(error);
  }
}
