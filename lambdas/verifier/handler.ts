import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import { verifyDeployment, type WorkspaceResult } from '../../core/audit/verify-deployment.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const vault = composeTables(readEnv());
const metrics = new Metrics();

/**
 * Daily: verifies every workspace. Each result is recorded in its audit trail, and a break is logged as an error at
 * once. What keeps the verifier from its work counts as a break in the metric: silence must not look like health.
 */
export const handler = middy(async () => {
  const summary = { workspaces: 0, rows: 0, breaks: 0 };
  try {
    for await (const result of verifyDeployment(vault)) {
      summary.workspaces += 1;
      summary.rows += result.verification?.rows ?? 0;
      summary.breaks += report(result);
    }
  } catch (error) {
    summary.breaks += 1;
    throw error;
  } finally {
    metrics.addMetric('RowsVerified', MetricUnit.Count, summary.rows);
    metrics.addMetric('AuditBreaks', MetricUnit.Count, summary.breaks);
    metrics.publishStoredMetrics();
  }
  logger.info('Verified the audit trails', summary);
  return summary;
});

/** Logs what is wrong with a workspace, and says how much. */
function report({ workspaceId, verification, error }: WorkspaceResult): number {
  if (verification === undefined) {
    logger.error('A workspace cannot be verified', {
      workspaceId,
      causeName: error instanceof Error ? error.name : '',
    });
    return 1;
  }
  const { breaks } = verification;
  if (breaks.length > 0)
    logger.error('The audit trail does not verify', { workspaceId, breaks: breaks.slice(0, 20) });
  return breaks.length;
}
