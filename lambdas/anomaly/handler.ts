import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { detectDeployment } from '../../core/anomaly/detect-deployment.ts';
import { composeAnomaly } from '../shared/compose-anomaly.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const env = readEnv();
let composed: ReturnType<typeof composeAnomaly> | undefined;
const metrics = new Metrics();

/**
 * Every five minutes: shows the detectors what is new in the audit trails. A workspace where that fails fails the
 * function after the rest is done; the next run goes on where this one ended.
 */
export const handler = middy(async (_event: unknown, context: Context) => {
  composed ??= composeAnomaly(env);
  const parts = await composed;
  const summary = { rows: 0, alerts: 0, faults: 0, failed: 0 };
  /** By workspace, the time of the oldest row that is still to be looked at. */
  const waiting = new Map<string, number>();
  try {
    for await (const { workspaceId, ...detected } of detectDeployment(parts, timeLeft(context))) {
      summary.rows += detected.rows;
      summary.alerts += detected.alerts;
      if (detected.waitingSince === undefined) waiting.delete(workspaceId);
      else waiting.set(workspaceId, detected.waitingSince);
      for (const [fault, count] of detected.faults) {
        summary.faults += count;
        logger.error('A detector began anew', { workspaceId, fault, count });
      }
      if (detected.status !== 'failed') continue;
      summary.failed += 1;
      logFailure('A workspace cannot be watched', { workspaceId, error: detected.error });
    }
  } catch (error) {
    summary.failed += 1;
    throw error;
  } finally {
    metrics.addMetric('RowsObserved', MetricUnit.Count, summary.rows);
    metrics.addMetric('AnomaliesFound', MetricUnit.Count, summary.alerts);
    metrics.addMetric('DetectorFailures', MetricUnit.Count, summary.faults + summary.failed);
    metrics.addMetric('DetectionLag', MetricUnit.Seconds, lagSeconds(waiting, parts.clock.now()));
    metrics.publishStoredMetrics();
  }
  if (summary.rows > 0) logger.info('Looked for anomalies', summary);
  if (summary.failed > 0) throw new Error(`${summary.failed} times, a workspace could not be watched.`);
  return summary;
});

/** The age of the oldest row that this run left for a later one. */
function lagSeconds(waiting: ReadonlyMap<string, number>, now: number): number {
  return (now - Math.min(now, ...waiting.values())) / 1000;
}
