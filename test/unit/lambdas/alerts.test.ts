import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Alert } from '../../../core/detection/alert.ts';
import {
  createAlerts,
  createInsistingAlerts,
  createUnrecordedAlerts,
} from '../../../lambdas/shared/alerts.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { alertsOf } from '../../support/raised-alerts.ts';

const ALERT: Alert = {
  tier: 'critical',
  kind: 'audit_break',
  workspaceId: 'ws_1',
  subject: 'row 0-17',
  detail: { reason: 'missing_row' },
};

let vault: MemoryVault;
let errors: jest.SpyInstance;
let warnings: jest.SpyInstance;
let counted: jest.SpyInstance;
beforeEach(() => {
  vault = memoryVault();
  errors = jest.spyOn(logger, 'error').mockImplementation(() => undefined);
  warnings = jest.spyOn(logger, 'warn').mockImplementation(() => undefined);
  counted = jest.spyOn(Metrics.prototype, 'addMetric');
  jest.spyOn(Metrics.prototype, 'publishStoredMetrics').mockReturnThis();
});
afterEach(() => {
  jest.restoreAllMocks();
});

const counts = async () => (await alertsOf(vault, 'ws_1')).map(({ count }) => count);
const metrics = () => counted.mock.calls.map(([name]) => name);
const takeAway = () => {
  vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
};

describe('the alerts of a function', () => {
  it('are logged and counted each time, and recorded as often as they should be', async () => {
    const alerts = createAlerts(vault, 'verifier');
    await Promise.all([alerts.raise(ALERT), alerts.raise(ALERT)]);
    expect(errors.mock.calls).toEqual(
      Array(2).fill([
        'Alert',
        {
          tier: 'critical',
          kind: 'audit_break',
          workspaceId: 'ws_1',
          subject: 'row 0-17',
          reason: 'missing_row',
        },
      ]),
    );
    expect(metrics()).toEqual(['CriticalAlerts', 'CriticalAlerts']);
    expect(await counts()).toEqual([1]);
  });

  it('are a warning below critical', async () => {
    await createAlerts(vault, 'verifier').raise({ ...ALERT, tier: 'warning', seen: 'One row is missing.' });
    expect(warnings).toHaveBeenCalledWith('Alert', expect.objectContaining({ seen: 'One row is missing.' }));
    expect([errors.mock.calls, metrics()]).toEqual([[], ['Alerts']]);
  });

  it('are logged and counted, and nothing is thrown, when the trail is down; the next time is recorded', async () => {
    const alerts = createAlerts(vault, 'verifier');
    takeAway();
    await alerts.raise(ALERT);
    expect(errors).toHaveBeenLastCalledWith('An alert could not be recorded in the audit trail', {
      kind: 'audit_break',
      workspaceId: 'ws_1',
      causeName: 'VaultError',
    });
    expect(metrics()).toEqual(['CriticalAlerts', 'UnrecordedAlerts']);
    vault.tables.faults = async () => 'none';
    await alerts.raise(ALERT);
    expect(await counts()).toEqual([1]);
  });
});

describe('the alerts of a function that is shown the same again', () => {
  it('throw when they could not be recorded for now', async () => {
    takeAway();
    const raising = createInsistingAlerts(vault, 'guard').raise(ALERT);
    await expect(raising).rejects.toMatchObject({ code: 'unavailable' });
    expect(metrics()).toEqual(['CriticalAlerts', 'UnrecordedAlerts']);
  });

  it('do not stop it for an alert that nobody can record', async () => {
    const alerts = createInsistingAlerts(vault, 'guard');
    await alerts.raise({ ...ALERT, detail: { 'no name of a detail': '' } });
    expect(metrics()).toEqual(['CriticalAlerts', 'UnrecordedAlerts']);
  });
});

it('alerts that must not touch the trail are logged and counted, and nothing else', async () => {
  await createUnrecordedAlerts().raise(ALERT);
  expect([errors.mock.calls.length, metrics()]).toEqual([1, ['CriticalAlerts']]);
});
