import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import { parseJson } from '../core/kernel/parse-json.ts';
import { storeUnavailable } from './dynamo-client.ts';
import type { Item, ItemKey } from './items.ts';

/**
 * Compare-and-swap of a bookkeeping item by its attribute `version`: written only where the item there has the version
 * before, or, for version 1, where there is none.
 *
 * @throws VaultError `unavailable`: it may be written or not.
 */
export async function replaceVersioned(
  client: DynamoDBDocumentClient,
  table: string,
  item: Item & { readonly version: number },
): Promise<'replaced' | 'changed'> {
  const { version } = item;
  const command = new PutCommand({
    TableName: table,
    Item: item,
    ...(version === 1
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: '#version = :before',
          ExpressionAttributeNames: { '#version': 'version' },
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
}

/** A state as the item that holds it: JSON in one attribute of at most 400 KB, its version beside it. */
export function stateItem(key: ItemKey, state: { readonly version: number }): Item & { version: number } {
  return { ...key, version: state.version, state: JSON.stringify(state) };
}

/**
 * Reads what {@link stateItem} wrote, consistently.
 *
 * @param damaged what to tell when it does not fit the schema.
 * @throws VaultError `unavailable`; `internal` where somebody spoiled it.
 */
export async function readState<S>(
  client: DynamoDBDocumentClient,
  table: string,
  key: ItemKey,
  schema: z.ZodType<S>,
  damaged: string,
): Promise<S | undefined> {
  const command = new GetCommand({ TableName: table, Key: key, ConsistentRead: true });
  const { Item: item } = await client.send(command).catch((error) => {
    throw storeUnavailable(error);
  });
  if (item === undefined) return undefined;
  try {
    return schema.parse(parseJson(String(item['state'])));
  } catch (cause) {
    throw new VaultError('internal', damaged, { cause });
  }
}
