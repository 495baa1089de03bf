import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { VaultError } from '../../core/kernel/errors.ts';
import { type VerificationResult, verifyDue } from '../../core/verification/verify-due.ts';
import { verifyOnOrder } from '../../core/verification/verify-on-order.ts';
import { createAlerts } from '../shared/alerts.ts';
import { composeTables } from '../shared/compose.ts';
import { composeLog } from '../shared/compose-log.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';
import { orderedVerification } from './ordered-verification.ts';

const env = readEnv();
const vault = composeTables(env);
const parts = { ...vault, log: composeLog(env), alerts: createAlerts(vault, 'verifier') };
const metrics = new Metrics();

/**
 * Every five minutes: goes on with the verifications that are under way or due, until the time is up. Each outcome is
 * recorded in its workspace's audit trail, and a break raises an alert at once. What keeps the verifier from its work
 * counts as a break in the metric: silence must not look like health.
 *
 * An operator invokes it with `{"workspaceId": …, "kind": "complete"}` to verify one workspace now.
 */
export const handler = middy(async (event: unknown, context: Context) => {
  const order = orderedVerification(event);
  const summary = { workspaces: 0, rows: 0, entities: 0, breaks: 0 };
  try {
    for await (const result of results(order, timeLeft(context))) {
      if (result.kind === 'entities') summary.entities += result.findings?.entities ?? 0;
      else summary.workspaces += 1;
      summary.rows += result.findings?.rows ?? 0;
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
  if (summary.workspaces + summary.entities > 0) logger.info('Verified audit trails', summary);
  return summary;
});

async function* results(
  order: ReturnType<typeof orderedVerification>,
  mayGoOn: () => boolean,
): AsyncGenerator<VerificationResult> {
  if (order === undefined) {
    yield* verifyDue(parts, { mayGoOn });
    return;
  }
  const result = await verifyOnOrder(parts, order.workspaceId, order.kind, { mayGoOn });
  if (result !== undefined) yield result;
}

/** Logs what is wrong, and says how much. */
function report({ workspaceId, kind, findings, error }: VerificationResult): number {
  if (findings === undefined) {
    logger.error('A workspace cannot be verified', {
      workspaceId,
      kind,
      code: error instanceof VaultError ? error.code : 'internal',
      causeName: error instanceof Error ? error.name : '',
    });
    return 1;
  }
  const { broken, breaks } = findings;
  if (broken > 0) logger.error('The audit trail does not verify', { workspaceId, kind, broken, breaks });
  return broken;
}
