import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { migrateDeployment } from '../../core/encryption-keys/migrate-deployment.ts';
import { composeRewrapper } from '../shared/compose-rewrapper.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeRewrapper(readEnv());
const metrics = new Metrics();

/**
 * Every minute: goes on with moving values under the keys that their workspaces, or the deployment, have now. It never sees
 * a plaintext. A workspace where that fails fails the function after the rest is done; one whose keys refuse is blocked,
 * which an alert says.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const { failures, ...summary } = await migrateDeployment(parts, timeLeft(context));
  for (const failure of failures) logFailure('The values of a workspace could not be moved', failure);
  metrics.addMetric('ValuesRewrapped', MetricUnit.Count, summary.moved);
  metrics.addMetric('RewrapFailures', MetricUnit.Count, failures.length);
  metrics.publishStoredMetrics();
  if (summary.open + summary.moved + summary.done > 0) logger.info('Moved values to other keys', summary);
  if (failures.length > 0) throw new Error(`The values of ${failures.length} workspaces could not be moved.`);
  return summary;
});
