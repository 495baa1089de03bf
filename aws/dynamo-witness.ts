import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { WitnessedTree, WitnessStates } from '../core/witness/witness-states.ts';
import { storeUnavailable } from './dynamo-client.ts';

/** The `WitnessStates` port on a table of its own: pk the log's origin. */
export function createDynamoWitness(client: DynamoDBDocumentClient, table: string): WitnessStates {
  return {
    async read(origin) {
      try {
        const { Item: item } = await client.send(
          new GetCommand({ TableName: table, Key: { pk: origin }, ConsistentRead: true }),
        );
        return item === undefined ? undefined : { size: Number(item['size']), root: String(item['root']) };
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    async replace(origin, previous, next) {
      try {
        await client.send(
          new PutCommand({
            TableName: table,
            Item: { pk: origin, size: next.size, root: next.root },
            ...condition(previous),
          }),
        );
        return 'replaced';
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'changed';
        throw storeUnavailable(error);
      }
    },
  };
}

function condition(previous: WitnessedTree | undefined) {
  if (previous === undefined) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: '#size = :size AND #root = :root',
    ExpressionAttributeNames: { '#size': 'size', '#root': 'root' },
    ExpressionAttributeValues: { ':size': previous.size, ':root': previous.root },
  };
}
