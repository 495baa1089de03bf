import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import { type ProbeOutcome, runProbe } from '../../core/probe/run-probe.ts';
import { composeProbe } from '../shared/compose-probe.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const parts = composeProbe(readEnv());
const metrics = new Metrics();

/** Every 15 minutes: writes, reveals, destroys and verifies in the canary workspace, over HTTP as a client does. */
export const handler = middy(async () => {
  let outcome: ProbeOutcome | undefined;
  try {
    outcome = await runProbe(parts);
  } finally {
    const isSuccess = outcome !== undefined && outcome.failure === undefined;
    metrics.addMetric('ProbeSuccess', MetricUnit.Count, isSuccess ? 1 : 0);
    if (outcome !== undefined && isSuccess) {
      const milliseconds = Object.values(outcome.steps).reduce((sum, step) => sum + step, 0);
      metrics.addMetric('ProbeLatency', MetricUnit.Milliseconds, milliseconds);
    }
    metrics.publishStoredMetrics();
  }
  if (outcome.failure === undefined) logger.info('The probe came through', outcome.steps);
  else logger.error('The probe failed', outcome.failure);
  return outcome;
});
