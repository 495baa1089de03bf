import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { exportDeployment } from '../../core/evidence-schedule/export-deployment.ts';
import { createAlerts } from '../shared/alerts.ts';
import { composeTables } from '../shared/compose.ts';
import { composeLog } from '../shared/compose-log.ts';
import { readEnv, required } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const env = readEnv();
const tables = composeTables(env);
const parts = {
  ...tables,
  log: composeLog(env),
  alerts: createAlerts(tables, 'evidence-export'),
  minRetentionDays: required(env, 'ARCHIVE_RETENTION_DAYS'),
};
const metrics = new Metrics();

/**
 * Daily: writes the evidence of each week or month that is over to the archive, for the workspaces that want it. A workspace
 * where that fails fails the function after the rest is done; the next run goes on where this one ended.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  const summary = { workspaces: 0, bundles: 0, waiting: 0, refused: 0, interrupted: 0, failed: 0 };
  try {
    for await (const { workspaceId, outcome, error } of exportDeployment(parts, timeLeft(context))) {
      summary.workspaces += 1;
      summary.bundles += outcome?.bundles ?? 0;
      if (outcome === undefined) {
        summary.failed += 1;
        logFailure('The evidence of a workspace cannot be exported', { workspaceId, error });
      } else if (outcome.status !== 'current') summary[outcome.status] += 1;
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('EvidenceBundlesExported', MetricUnit.Count, summary.bundles);
    metrics.addMetric('EvidenceExportFailures', MetricUnit.Count, summary.refused + summary.failed);
    metrics.publishStoredMetrics();
  }
  logger.info('Exported evidence', summary);
  if (summary.failed > 0)
    throw new Error(`The evidence of ${summary.failed} workspaces could not be exported.`);
  return summary;
});
