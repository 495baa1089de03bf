import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { snapshotDeployment } from '../../core/posture/snapshot-deployment.ts';
import { composeSnapshot } from '../shared/compose-snapshot.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeSnapshot(readEnv());
const metrics = new Metrics();

/**
 * Daily: counts what each workspace holds, judges its posture, and opens and closes findings. A workspace where that fails
 * fails the function after the rest is done; the next run goes on where this one ended.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const summary = { recorded: 0, slices: 0, failed: 0 };
  try {
    for await (const { workspaceId, status, error } of snapshotDeployment(parts, timeLeft(context))) {
      if (status === 'recorded') summary.recorded += 1;
      if (status === 'recorded' || status === 'counting') summary.slices += 1;
      if (status !== 'failed') continue;
      summary.failed += 1;
      logFailure('The posture of a workspace cannot be recorded', { workspaceId, error });
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('PosturesRecorded', MetricUnit.Count, summary.recorded);
    metrics.addMetric('PostureFailures', MetricUnit.Count, summary.failed);
    metrics.publishStoredMetrics();
  }
  logger.info('Recorded the posture of workspaces', summary);
  if (summary.failed > 0)
    throw new Error(`The posture of ${summary.failed} workspaces could not be recorded.`);
  return summary;
});
