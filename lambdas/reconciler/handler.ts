import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import {
  type DayReconciled,
  reconcileDeployment,
  reconcileOnOrder,
} from '../../core/reconciliation/reconcile-deployment.ts';
import { composeReconciler } from '../shared/compose-reconciler.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';
import { orderedDay } from './ordered-day.ts';

const parts = composeReconciler(readEnv());
const metrics = new Metrics();

/**
 * Daily: compares the calls on keys for values, as CloudTrail tells them, with the audit rows. A decryption without a
 * row raises an alert, and so does a log that says nothing.
 *
 * An operator invokes it with `{"day": "2026-11-22"}` to reconcile one day with all that was delivered until now.
 */
export const handler = middy(async (event: unknown, context: Context) => {
  const summary = { days: 0, calls: 0, withoutRow: 0, byStrangers: 0, incomplete: 0 };
  try {
    for await (const { day, outcome } of results(event, timeLeft(context))) {
      summary.days += 1;
      summary.calls += outcome.calls;
      summary.withoutRow += outcome.withoutRow;
      summary.byStrangers += outcome.byStrangers;
      summary.incomplete += outcome.isComplete ? 0 : 1;
      logger.info('Reconciled the calls on keys for values with the audit rows', { day, ...outcome });
    }
  } finally {
    metrics.addMetric('KeyCallsReconciled', MetricUnit.Count, summary.calls);
    metrics.addMetric('DecryptsWithoutRow', MetricUnit.Count, summary.withoutRow + summary.byStrangers);
    metrics.publishStoredMetrics();
  }
  return summary;
});

async function* results(event: unknown, mayGoOn: () => boolean): AsyncGenerator<DayReconciled> {
  const day = orderedDay(event);
  if (day === undefined) yield* reconcileDeployment(parts, mayGoOn);
  else yield await reconcileOnOrder(parts, day);
}
