import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { archiveDeployment } from '../../core/archive/archive-deployment.ts';
import { createAlerts } from '../shared/alerts.ts';
import { composeTables } from '../shared/compose.ts';
import { composeLog } from '../shared/compose-log.ts';
import { readEnv, required } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const env = readEnv();
const vault = composeTables(env);
const parts = {
  ...vault,
  ...composeLog(env),
  alerts: createAlerts(vault, 'archiver'),
  minRetentionDays: required(env, 'ARCHIVE_RETENTION_DAYS'),
};
const metrics = new Metrics();

/**
 * Daily: archives every workspace up to yesterday, missed days first. A workspace that cannot be archived fails the
 * function after the rest is done; the next run goes on where this one ended.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const summary = { workspaces: 0, days: 0, waiting: 0, refused: 0, interrupted: 0, failed: 0 };
  const mayGoOn = timeLeft(context);
  try {
    for await (const { workspaceId, outcome, error } of archiveDeployment(parts, mayGoOn)) {
      summary.workspaces += 1;
      summary.days += outcome?.days.length ?? 0;
      if (outcome === undefined) {
        summary.failed += 1;
        logFailure('A workspace cannot be archived', { workspaceId, error });
      } else if (outcome.status !== 'current') summary[outcome.status] += 1;
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('DaysArchived', MetricUnit.Count, summary.days);
    metrics.addMetric('ArchiveFailures', MetricUnit.Count, summary.refused + summary.failed);
    metrics.publishStoredMetrics();
  }
  logger.info('Archived the audit trails', summary);
  if (summary.failed > 0) throw new Error(`${summary.failed} workspaces could not be archived.`);
  return summary;
});
