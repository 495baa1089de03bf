import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import type { Alert, Alerts } from '../../core/detection/alert.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import { logger } from './logger.ts';

const metrics = new Metrics();

const RECORD_INTERVAL_MS = 15 * 60_000;
/** Alerts remembered; of more than these, the oldest is forgotten, and may be recorded again sooner. */
const REMEMBERED = 1_000;

/**
 * Alerts of one function: a log line (an error, for a critical one), a metric that an alarm can watch, and an event in
 * the workspace's own trail, which a SIEM receives like any other. What cannot be recorded is logged all the same.
 *
 * The event wakes the functions that follow the trail, of which one may raise the same alert again. So the same one
 * (workspace, kind and subject) is recorded once in 15 minutes, as long as this instance lives.
 *
 * @param job which function raises them: the actor of the event.
 */
export function createAlerts(trail: AuditTrail, job: string, clock: Pick<Clock, 'now'>): Alerts {
  const recorded = new RecentAlerts(clock);
  return {
    async raise(alert) {
      const { tier, kind, workspaceId, subject, detail } = alert;
      const told = { tier, kind, workspaceId, subject, ...detail };
      if (tier === 'critical') logger.error('Alert', told);
      else logger.warn('Alert', told);
      metrics.addMetric(tier === 'critical' ? 'CriticalAlerts' : 'Alerts', MetricUnit.Count, 1);
      metrics.publishStoredMetrics();
      if (!recorded.add(alert)) return;
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
        recorded.remove(alert);
        logger.error('An alert could not be recorded in the audit trail', {
          kind,
          workspaceId,
          causeName: error instanceof Error ? error.name : '',
        });
      }
    },
  };
}

/** The alerts that were recorded in the last 15 minutes. */
class RecentAlerts {
  /** When, in epoch milliseconds; oldest first. */
  readonly #times = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @returns whether it was not among them. */
  add(alert: Alert): boolean {
    const now = this.#clock.now();
    const before = this.#times.get(keyOf(alert));
    // Either way: the clock may have been set back.
    if (before !== undefined && Math.abs(now - before) < RECORD_INTERVAL_MS) return false;
    this.remove(alert);
    this.#times.set(keyOf(alert), now);
    const [oldest] = this.#times.keys();
    if (this.#times.size > REMEMBERED && oldest !== undefined) this.#times.delete(oldest);
    return true;
  }

  remove(alert: Alert): void {
    this.#times.delete(keyOf(alert));
  }
}

function keyOf({ workspaceId, kind, subject }: Alert): string {
  return JSON.stringify([workspaceId, kind, subject]);
}
