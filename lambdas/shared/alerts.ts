import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import type { Alerts } from '../../core/detection/alert.ts';
import { logger } from './logger.ts';

const metrics = new Metrics();

/**
 * Alerts of one function: a log line (an error, for a critical one), a metric that an alarm can watch, and an event in
 * the workspace's own trail, which a SIEM receives like any other. What cannot be recorded is logged all the same.
 *
 * @param job which function raises them: the actor of the event.
 */
export function createAlerts(trail: AuditTrail, job: string): Alerts {
  return {
    async raise({ tier, kind, workspaceId, subject, detail }) {
      const told = { tier, kind, workspaceId, subject, ...detail };
      if (tier === 'critical') logger.error('Alert', told);
      else logger.warn('Alert', told);
      metrics.addMetric(tier === 'critical' ? 'CriticalAlerts' : 'Alerts', MetricUnit.Count, 1);
      metrics.publishStoredMetrics();
      try {
        await trail.commit(systemOrigin(workspaceId, job), [
          {
            action: 'alert.raised',
            entity: { type: 'alert', id: kind },
            result: 'failure',
            detail: { ...detail, tier, subject },
          },
        ]);
      } catch (error) {
        logger.error('An alert could not be recorded in the audit trail', {
          kind,
          workspaceId,
          causeName: error instanceof Error ? error.name : '',
        });
      }
    },
  };
}
