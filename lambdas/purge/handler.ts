import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { purgeDeployment } from '../../core/lifecycle/purge-deployment.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const vault = composeTables(readEnv());
const metrics = new Metrics();

/** Daily: removes what has come to the end of its life. Fails if any of it could not be, after doing the rest. */
export const handler = middy(async (_event: unknown, context: Context) => {
  const { failures, ...purged } = await purgeDeployment({ ...vault, mayGoOn: timeLeft(context) });
  for (const { workspaceId = PLATFORM_WORKSPACE, error } of failures) {
    logFailure('What has come to the end of its life was not purged', { workspaceId, error });
  }
  metrics.addMetric('PurgeFailures', MetricUnit.Count, failures.length);
  metrics.publishStoredMetrics();
  logger.info('Purged what has come to the end of its life', { ...purged, failures: failures.length });
  if (failures.length > 0)
    throw new Error(`${failures.length} secrets, workspaces or people could not be purged.`);
  return purged;
});
