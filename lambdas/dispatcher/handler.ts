import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { wakeWorkspaces } from '../../core/seal/wake.ts';
import { composeQueues, readNewRow } from '../shared/compose-dispatcher.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const queues = composeQueues(readEnv());

/**
 * Woken by new rows in the stream of `audit`: wakes the sealer and the deliverer for the workspaces that have them. A
 * batch that cannot be passed on fails as a whole and comes again; a wake that comes twice does no harm.
 */
export const handler = middy(async ({ Records }: DynamoDBStreamEvent) => {
  const rows = Records.flatMap((record) => readNewRow(record) ?? []);
  const skipped = Records.length - rows.length;
  // Only somebody else than the vault writes such keys. They wake nobody, and must not hold up those that do.
  if (skipped > 0) logger.warn('Rows under keys that are not of a workspace were skipped', { skipped });
  const workspaces = await wakeWorkspaces(queues, rows);
  return { workspaces, skipped };
});
