import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import {
  scanVerificationSchema,
  type VerificationStates,
  workspaceVerificationSchema,
} from '../core/verification/verification-state.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type Item, type ItemKey } from './items.ts';
import { readState, replaceVersioned, stateItem } from './versioned-item.ts';

/** All workspaces in one partition, so that they can be listed: the job works on few at a time. */
const WORKSPACES = `${BOOKKEEPING_PREFIX}verify`;
const DAMAGED =
  'The state of a verification is damaged. Delete its item in the table to verify from the beginning.';
const SCAN_KEY = { pk: `${BOOKKEEPING_PREFIX}verify#scan`, sk: '~' };

/**
 * The `VerificationStates` port on the table `vault`, as bookkeeping: pk `B#verify`, sk the workspace; and pk
 * `B#verify#scan`.
 */
export function createDynamoVerifications(client: DynamoDBDocumentClient, table: string): VerificationStates {
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });

  const read = <T>(key: ItemKey, schema: z.ZodType<T>): Promise<T | undefined> =>
    readState(client, table, key, schema, DAMAGED);
  const replace = (key: ItemKey, next: { readonly version: number }) =>
    replaceVersioned(client, table, stateItem(key, next));

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
