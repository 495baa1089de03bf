import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { retainDeployment } from '../../core/retention/retain-deployment.ts';
import { composeRetention } from '../shared/compose-retention.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeRetention(readEnv());
const metrics = new Metrics();

/**
 * Daily: deletes the audit rows that their workspace need not keep in the table any more, once they are archived. A
 * workspace where that fails fails the function after the rest is done; the next run goes on where this one ended.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const summary = { workspaces: 0, deleted: 0, refused: 0, interrupted: 0, failed: 0 };
  const mayGoOn = timeLeft(context);
  try {
    for await (const { workspaceId, outcome, error } of retainDeployment(parts, mayGoOn)) {
      summary.workspaces += 1;
      summary.deleted += outcome?.deleted ?? 0;
      if (outcome === undefined) {
        summary.failed += 1;
        logFailure('The retention of a workspace cannot be applied', { workspaceId, error });
      } else if (outcome.status !== 'current') summary[outcome.status] += 1;
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('AuditRowsDeleted', MetricUnit.Count, summary.deleted);
    metrics.addMetric('RetentionFailures', MetricUnit.Count, summary.refused + summary.failed);
    metrics.publishStoredMetrics();
  }
  logger.info('Applied the retention of audit rows', summary);
  if (summary.failed > 0)
    throw new Error(`The retention of ${summary.failed} workspaces could not be applied.`);
  return summary;
});
