import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import {
  scanVerificationSchema,
  type VerificationStates,
  workspaceVerificationSchema,
} from '../core/verification/verification-state.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type Item } from './items.ts';

/** All workspaces in one partition, so that they can be listed: the job works on few at a time. */
const WORKSPACES = `${BOOKKEEPING_PREFIX}verify`;
const SCAN_KEY = { pk: `${BOOKKEEPING_PREFIX}verify#scan`, sk: '~' };

/**
 * The `VerificationStates` port on the table `vault`, as bookkeeping: pk `B#verify`, sk the workspace; and pk
 * `B#verify#scan`. The state is JSON in one attribute, its version stands beside it.
 */
export function createDynamoVerifications(client: DynamoDBDocumentClient, table: string): VerificationStates {
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });

  const read = async <T>(key: Item, schema: z.ZodType<T>): Promise<T | undefined> => {
    const { Item: item } = await send(
      client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true })),
    );
    if (item === undefined) return undefined;
    const parsed = schema.safeParse(parseJson(item['state']));
    if (parsed.success) return parsed.data;
    throw new VaultError(
      'internal',
      'The state of a verification is damaged. Delete its item in the table to verify from the beginning.',
      { cause: parsed.error },
    );
  };

  const replace = async (key: Item, next: { readonly version: number }): Promise<'replaced' | 'changed'> => {
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
  };

  return {
    async *workspaces() {
      let from: Item | undefined;
      do {
        const { Items: items = [], LastEvaluatedKey: last } = await send(
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: 'pk = :workspaces',
              ExpressionAttributeValues: { ':workspaces': WORKSPACES },
              ProjectionExpression: 'sk',
              ConsistentRead: true,
              ...(from === undefined ? {} : { ExclusiveStartKey: from }),
            }),
          ),
        );
        yield items.map(({ sk }) => String(sk));
        from = last;
      } while (from !== undefined);
    },
    read: (workspaceId) => read({ pk: WORKSPACES, sk: workspaceId }, workspaceVerificationSchema),
    replace: (next) => replace({ pk: WORKSPACES, sk: next.workspaceId }, next),
    readScan: () => read(SCAN_KEY, scanVerificationSchema),
    replaceScan: (next) => replace(SCAN_KEY, next),
  };
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
