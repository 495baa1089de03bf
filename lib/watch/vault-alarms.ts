import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { FunctionName } from '../names.ts';
import { type AlarmRule, FIVE_MINUTES } from './alarms.ts';

/** Below `POWERTOOLS_METRICS_NAMESPACE`; each function's metrics carry its name as `service`. */
function vaultMetric(
  service: FunctionName | 'alerts',
  metricName: string,
  { statistic = Stats.SUM, period = FIVE_MINUTES } = {},
): Metric {
  return new Metric({
    namespace: 'Lockzero',
    metricName,
    dimensionsMap: { service },
    statistic,
    period,
  });
}

/** What the vault says of itself. */
export function vaultAlarms(): AlarmRule[] {
  const hourly = { period: Duration.hours(1) };
  return [
    {
      name: 'critical-alerts',
      says: 'The vault raised a critical alert.',
      section: 'An alert',
      metric: vaultMetric('alerts', 'CriticalAlerts', { period: Duration.minutes(1) }),
    },
    {
      name: 'unrecorded-alerts',
      says: 'An alert could not be recorded in the audit trail: only the log of a function has it, and no channel tells of it.',
      section: 'An alert',
      metric: vaultMetric('alerts', 'UnrecordedAlerts'),
    },
    {
      name: 'audit-breaks',
      says: 'An audit trail does not verify, or cannot be verified.',
      section: 'The audit trail does not verify',
      metric: vaultMetric('verifier', 'AuditBreaks'),
    },
    {
      name: 'archive-failures',
      says: 'A workspace could not be archived.',
      section: 'Archive or retention stands still',
      metric: vaultMetric('archiver', 'ArchiveFailures', hourly),
    },
    {
      name: 'retention-failures',
      says: 'The retention of a workspace could not be applied.',
      section: 'Archive or retention stands still',
      metric: vaultMetric('retention', 'RetentionFailures', hourly),
    },
    {
      name: 'backup-age',
      says: 'The newest complete backup is older than 25 hours.',
      section: 'A backup failed',
      metric: vaultMetric('backup-check', 'BackupAgeSeconds', { ...hourly, statistic: Stats.MAXIMUM }),
      atLeast: Duration.hours(25).toSeconds(),
    },
    {
      name: 'canary',
      says: 'The canary could not write, reveal and verify, twice in a row.',
      section: 'The canary died',
      metric: vaultMetric('probe', 'ProbeSuccess', {
        period: Duration.minutes(15),
        statistic: Stats.MINIMUM,
      }),
      below: 1,
      periods: 2,
      silenceRings: true,
    },
    {
      name: 'detector-lag',
      says: 'The anomaly detector is more than 15 minutes behind the audit trails.',
      section: 'The detector lags behind',
      metric: vaultMetric('anomaly', 'DetectionLag', { statistic: Stats.MAXIMUM }),
      atLeast: Duration.minutes(15).toSeconds(),
      periods: 2,
    },
    {
      name: 'detector-failures',
      says: 'The anomaly detector could not work on a workspace.',
      section: 'The detector lags behind',
      metric: vaultMetric('anomaly', 'DetectorFailures'),
    },
  ];
}
