import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type RaiseParts, raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { Alert, Alerts } from '../../core/detection/alert.ts';
import { type ErrorCode, VaultError } from '../../core/kernel/errors.ts';
import { logger } from './logger.ts';

/** Of all functions together: the one alarm watches them under this name, whichever function raised an alert. */
const metrics = new Metrics({ serviceName: 'alerts' });

/** What another try may get over. What can never be recorded would stop the function for good. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['unavailable', 'concurrent_change']);

/**
 * Alerts of one function: a log line (an error, for a critical one), a metric that an alarm can watch, and an alert in
 * its workspace with an event in the trail, which webhooks and channels receive. What cannot be recorded is logged and
 * counted all the same.
 *
 * @param job which function raises them: the actor of the events.
 */
export function createAlerts(parts: RaiseParts, job: string): Alerts {
  return {
    async raise(alert) {
      tell(alert);
      await raiseAlert(parts, alert, job).catch((error: unknown) => tellUnrecorded(alert, error));
    },
  };
}

/**
 * For a function that is shown the same again when it fails, as {@link createAlerts}, with one difference: where a later
 * try may record an alert that could not be recorded now, this throws.
 */
export function createInsistingAlerts(parts: RaiseParts, job: string): Alerts {
  return {
    async raise(alert) {
      tell(alert);
      await raiseAlert(parts, alert, job).catch((error: unknown) => {
        tellUnrecorded(alert, error);
        if (error instanceof VaultError && PASSING.has(error.code)) throw error;
      });
    },
  };
}

/** For a function that must not write to the trail: only log line and metric. */
export function createUnrecordedAlerts(): Alerts {
  return { raise: async (alert) => tell(alert) };
}

function tell({ tier, kind, workspaceId, subject, seen, detail }: Alert): void {
  const told = { ...detail, tier, kind, workspaceId, subject, ...(seen === undefined ? {} : { seen }) };
  if (tier === 'critical') logger.error('Alert', told);
  else logger.warn('Alert', told);
  count(tier === 'critical' ? 'CriticalAlerts' : 'Alerts');
}

function tellUnrecorded({ kind, workspaceId }: Alert, error: unknown): void {
  logger.error('An alert could not be recorded in the audit trail', {
    kind,
    workspaceId,
    causeName: error instanceof Error ? error.name : '',
  });
  count('UnrecordedAlerts');
}

function count(metric: string): void {
  metrics.addMetric(metric, MetricUnit.Count, 1);
  metrics.publishStoredMetrics();
}
