import { Metrics } from '@aws-lambda-powertools/metrics';
import type { AuditTrail } from '../../../core/audit/trail.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { createAlerts } from '../../../lambdas/shared/alerts.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { FakeClock } from '../../support/clock.ts';

const MINUTE = 60_000;

const ALERT: Alert = {
  tier: 'critical',
  kind: 'audit_break',
  workspaceId: 'ws_1',
  subject: 'row 0-17',
  detail: { reason: 'missing_row' },
};

let clock: FakeClock;
let recorded: string[];
let logged: jest.SpyInstance;
let counted: jest.SpyInstance;
beforeEach(() => {
  clock = new FakeClock();
  recorded = [];
  logged = jest.spyOn(logger, 'error').mockImplementation(() => undefined);
  counted = jest.spyOn(Metrics.prototype, 'addMetric');
  jest.spyOn(Metrics.prototype, 'publishStoredMetrics').mockReturnThis();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const trail: AuditTrail = {
  commit: async (origin, events) => {
    recorded.push(...events.map(({ detail }) => `${origin.workspaceId} ${detail?.['subject']}`));
    return [];
  },
};

describe('the same alert, again and again', () => {
  it('is recorded once in 15 minutes, and logged and counted each time', async () => {
    const alerts = createAlerts(trail, 'deliverer', clock);
    await Promise.all([alerts.raise(ALERT), alerts.raise(ALERT)]);
    clock.advance(15 * MINUTE - 1);
    await alerts.raise({ ...ALERT, detail: { reason: 'broken_link' } });
    expect(recorded).toEqual(['ws_1 row 0-17']);
    clock.advance(1);
    await alerts.raise(ALERT);
    await alerts.raise(ALERT);
    expect(recorded).toHaveLength(2);
    expect(logged).toHaveBeenCalledTimes(5);
    expect(counted.mock.calls).toEqual(Array(5).fill(['CriticalAlerts', 'Count', 1]));
  });

  it('is another when its workspace, kind or subject is', async () => {
    const alerts = createAlerts(trail, 'deliverer', clock);
    await alerts.raise(ALERT);
    await alerts.raise({ ...ALERT, workspaceId: 'ws_2' });
    await alerts.raise({ ...ALERT, kind: 'log_forked' });
    await alerts.raise({ ...ALERT, subject: 'row 0-18' });
    expect(recorded).toHaveLength(4);
  });

  it('is recorded at the next occasion when it could not be', async () => {
    let isAway = true;
    const commit: AuditTrail['commit'] = (origin, events) => {
      if (isAway) throw new Error('away');
      return trail.commit(origin, events);
    };
    const alerts = createAlerts({ commit }, 'deliverer', clock);
    await alerts.raise(ALERT);
    isAway = false;
    await alerts.raise(ALERT);
    expect(recorded).toEqual(['ws_1 row 0-17']);
  });

  it('is forgotten when a thousand others came after it', async () => {
    const alerts = createAlerts(trail, 'deliverer', clock);
    for (let row = 0; row <= 1_000; row += 1) await alerts.raise({ ...ALERT, subject: `row 0-${row}` });
    recorded.length = 0;
    await alerts.raise({ ...ALERT, subject: 'row 0-1' });
    await alerts.raise({ ...ALERT, subject: 'row 0-0' });
    expect(recorded).toEqual(['ws_1 row 0-0']);
  });
});
