import { type AttributeValue, BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ItemKey, RawItem } from './items.ts';

/** What one BatchGetItem takes. */
const MAX_KEYS = 100;
/** A batch may come back in parts (16 MB each, or when throttled); more rounds than this mean that it is not served. */
const MAX_ROUNDS = 20;

/** The items with these keys, consistently read, in no particular order; any number of keys, each once. */
export async function batchGet(
  client: DynamoDBDocumentClient,
  table: string,
  keys: readonly ItemKey[],
): Promise<RawItem[]> {
  const found: RawItem[] = [];
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    let open: Record<string, AttributeValue>[] = keys
      .slice(start, start + MAX_KEYS)
      .map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
    for (let round = 0; open.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw new Error('DynamoDB leaves part of a batch unserved.');
      const request = { [table]: { Keys: open, ConsistentRead: true } };
      const answer = await client.send(new BatchGetItemCommand({ RequestItems: request }));
      found.push(...(answer.Responses?.[table] ?? []));
      open = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return found;
}
