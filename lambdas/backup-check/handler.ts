import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy from '@middy/core';
import { checkBackup } from '../../core/backup/check-backup.ts';
import { composeBackupCheck } from '../shared/compose-backup.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const parts = composeBackupCheck(readEnv());
const metrics = new Metrics();

/**
 * Daily: judges the newest whole backup. What is wrong with it is an alert; the function fails only where it could not
 * look.
 */
export const handler = middy(async () => {
  const verdict = await checkBackup(parts);
  const { vault, audit } = verdict.newest?.items ?? { vault: 0, audit: 0 };
  // An alarm watches the age: without any whole backup it is as if the last one were of 1970.
  const ageSeconds = verdict.newest?.ageSeconds ?? Math.floor(parts.clock.now() / 1000);
  metrics.addMetric('BackupAgeSeconds', MetricUnit.Seconds, ageSeconds);
  metrics.addMetric('BackupItems', MetricUnit.Count, vault + audit);
  metrics.publishStoredMetrics();
  logger.info('Checked the backups', { ...verdict });
  return verdict;
});
