import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import type { JobState } from '../core/kernel/job-state.ts';
import { parseJson } from '../core/kernel/parse-json.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX } from './items.ts';

/**
 * The `JobState` port on the table `vault`, as bookkeeping: pk `B#job#<name>`, sk `~`. The state is JSON in one attribute
 * of at most 400 KB, its version stands beside it.
 */
export function createDynamoJobState<S extends { readonly version: number }>(
  client: DynamoDBDocumentClient,
  table: string,
  name: string,
  schema: z.ZodType<S>,
): JobState<S> {
  const key = { pk: `${BOOKKEEPING_PREFIX}job#${name}`, sk: '~' };
  return {
    async read() {
      const command = new GetCommand({ TableName: table, Key: key, ConsistentRead: true });
      const { Item: item } = await client.send(command).catch((error) => {
        throw storeUnavailable(error);
      });
      return item === undefined ? undefined : parseState(name, schema, item['state']);
    },

    async replace(next) {
      const { version } = next;
      const command = new PutCommand({
        TableName: table,
        Item: { ...key, version, state: JSON.stringify(next) },
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
    },
  };
}

function parseState<S>(name: string, schema: z.ZodType<S>, text: unknown): S {
  try {
    return schema.parse(parseJson(String(text)));
  } catch (cause) {
    const detail = `The state of the job ${name} is damaged. Delete its item in the table to begin anew.`;
    throw new VaultError('internal', detail, { cause });
  }
}
