import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { syncDeployment } from '../../core/secrets-sync/sync-deployment.ts';
import { composeSyncer } from '../shared/compose-syncer.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeSyncer(readEnv());

/**
 * Copies changed secrets to where their workspaces want them. A customer's account that fails is written down and tried
 * again later. Trouble of our own fails the function, after the rest is done.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const { failures, ...synced } = await syncDeployment(parts, timeLeft(context));
  for (const failure of failures) logFailure('The secrets of a workspace could not be copied', failure);
  logger.info('Copied secrets', { ...synced, failures: failures.length });
  if (failures.length > 0) {
    throw new Error(`The secrets of ${failures.length} workspaces could not be copied.`);
  }
  return synced;
});
