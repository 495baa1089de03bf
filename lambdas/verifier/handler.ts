import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import { verifyDeployment } from '../../core/audit/verify-deployment.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const vault = composeTables(readEnv());
const metrics = new Metrics();

/**
 * Daily: verifies every workspace. Each result is recorded in its audit trail and as metrics; a break is logged as an
 * error besides. Breaks do not make the function fail: a retry would find them again.
 */
export const handler = middy(async () => {
  const results = await verifyDeployment(vault);
  for (const { workspaceId, breaks } of results) {
    if (breaks.length > 0) logger.error('The audit trail does not verify', { workspaceId, breaks });
  }
  const summary = {
    workspaces: results.length,
    rows: results.reduce((sum, { rows }) => sum + rows, 0),
    breaks: results.reduce((sum, { breaks }) => sum + breaks.length, 0),
  };
  metrics.addMetric('RowsVerified', MetricUnit.Count, summary.rows);
  metrics.addMetric('AuditBreaks', MetricUnit.Count, summary.breaks);
  metrics.publishStoredMetrics();
  logger.info('Verified the audit trails', summary);
  return summary;
});
