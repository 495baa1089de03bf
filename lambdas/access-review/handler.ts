import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { reviewDeployment } from '../../core/access-review/review-access.ts';
import { composeAccessReview } from '../shared/compose-snapshot.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeAccessReview(readEnv());
const metrics = new Metrics();

/**
 * Daily: looks for keys and members that are not used, keys that never expire and owners without a second factor. A
 * workspace where that fails fails the function after the rest is done; the next run reviews it again.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const summary = { reviewed: 0, failed: 0 };
  try {
    for await (const { workspaceId, status, error } of reviewDeployment(parts, timeLeft(context))) {
      if (status === 'worked') summary.reviewed += 1;
      if (status !== 'failed') continue;
      summary.failed += 1;
      logFailure('The access to a workspace cannot be reviewed', { workspaceId, error });
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('AccessReviews', MetricUnit.Count, summary.reviewed);
    metrics.addMetric('AccessReviewFailures', MetricUnit.Count, summary.failed);
    metrics.publishStoredMetrics();
  }
  logger.info('Reviewed who has access', summary);
  if (summary.failed > 0)
    throw new Error(`The access to ${summary.failed} workspaces could not be reviewed.`);
  return summary;
});
