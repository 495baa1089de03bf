import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import type { JobState } from '../core/kernel/job-state.ts';
import { BOOKKEEPING_PREFIX } from './items.ts';
import { readState, replaceVersioned, stateItem } from './versioned-item.ts';

/** The `JobState` port on the table `vault`, as bookkeeping: pk `B#job#<name>`, sk `~`. */
export function createDynamoJobState<S extends { readonly version: number }>(
  client: DynamoDBDocumentClient,
  table: string,
  name: string,
  schema: z.ZodType<S>,
): JobState<S> {
  const key = { pk: `${BOOKKEEPING_PREFIX}job#${name}`, sk: '~' };
  const damaged = `The state of the job ${name} is damaged. Delete its item in the table to begin anew.`;
  return {
    read: () => readState(client, table, key, schema, damaged),
    replace: (next) => replaceVersioned(client, table, stateItem(key, next)),
  };
}
