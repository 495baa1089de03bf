import { type AttributeValue, ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { AnomalyStates, StoredProfile } from '../core/anomaly/anomaly-states.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type ItemKey } from './items.ts';

/**
 * The `AnomalyStates` port on the table `vault`, as bookkeeping: pk `B#anomaly#<workspace>`, sk `~` for the workspace and
 * `A#<actor type>#<actor id>` for an actor, which has a `ttl`. A profile is JSON in `state`; its `version` stands beside it.
 */
export function createDynamoAnomalyStates(client: DynamoDBDocumentClient, table: string): AnomalyStates {
  const replace = async (
    key: ItemKey,
    { version, ...content }: { readonly version: number },
    ttl: { readonly ttl?: number } = {},
  ): Promise<'replaced' | 'changed'> => {
    const command = new PutCommand({
      TableName: table,
      Item: { ...key, version, state: JSON.stringify(content), ...ttl },
      ExpressionAttributeNames: { '#version': 'version' },
      ...(version === 1
        ? {
            // Nothing is there, or nothing that has a version: what is damaged must not be in the way for ever.
            ConditionExpression: 'NOT attribute_type(#version, :number)',
            ExpressionAttributeValues: { ':number': 'N' },
          }
        : {
            ConditionExpression: '#version = :before',
            ExpressionAttributeValues: { ':before': version - 1 },
          }),
    });
    try {
      await client.send(command);
      return 'replaced';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'changed';
      throw storeUnavailable(error);
    }
  };

  return {
    async read(workspaceId) {
      const command = new GetCommand({
        TableName: table,
        Key: workspaceKey(workspaceId),
        ConsistentRead: true,
      });
      try {
        const { Item: item } = await client.send(command);
        return item === undefined ? undefined : profileOf(item['version'], item['state']);
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    replace: (workspaceId, next) => replace(workspaceKey(workspaceId), next),

    async readActors(workspaceId, actors) {
      try {
        const items = await batchGet(
          client,
          table,
          actors.map((actor) => actorKey(workspaceId, actor)),
        );
        return new Map(
          items.map((item) => [
            item['sk']?.S?.slice(ACTOR_PREFIX.length) ?? '',
            profileOf(numberOf(item['version']), item['state']?.S),
          ]),
        );
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    replaceActor: (workspaceId, actor, next, expiresAt) =>
      // DynamoDB's time to live counts whole seconds.
      replace(actorKey(workspaceId, actor), next, { ttl: Math.ceil(expiresAt / 1000) }),
  };
}

const ACTOR_PREFIX = 'A#';

function workspaceKey(workspaceId: string) {
  return { pk: `${BOOKKEEPING_PREFIX}anomaly#${workspaceId}`, sk: '~' };
}

function actorKey(workspaceId: string, actor: string) {
  return { pk: `${BOOKKEEPING_PREFIX}anomaly#${workspaceId}`, sk: `${ACTOR_PREFIX}${actor}` };
}

function numberOf(attribute: AttributeValue | undefined): number | undefined {
  return attribute?.N === undefined ? undefined : Number(attribute.N);
}

function profileOf(version: unknown, state: unknown): StoredProfile {
  return { version: typeof version === 'number' ? version : 0, content: parseJson(state) };
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
