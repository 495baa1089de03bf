import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { watchCertificates } from '../../core/certificates/watch-certificates.ts';
import { composeCtMonitor } from '../shared/compose-ct-monitor.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';

const parts = composeCtMonitor(readEnv());
const metrics = new Metrics();

/** Hourly, where there are domains to watch: looks for certificates that somebody else may have had issued. */
export const handler = middy(async (_event: unknown, context: Context) => {
  const outcome = await watchCertificates(parts, timeLeft(context));
  metrics.addMetric('UnexpectedCertificates', MetricUnit.Count, outcome.unexpected);
  metrics.addMetric('CertificateSearchFailures', MetricUnit.Count, outcome.failed);
  metrics.publishStoredMetrics();
  logger.info('Looked for certificates', { ...outcome });
  return outcome;
});
