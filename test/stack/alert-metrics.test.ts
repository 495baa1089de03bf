import { Metrics } from '@aws-lambda-powertools/metrics';
import { createUnrecordedAlerts } from '../../lambdas/shared/alerts.ts';
import { logger } from '../../lambdas/shared/logger.ts';
import { vaultAlarms } from '../../lib/watch/vault-alarms.ts';

/** As CloudWatch reads them from a function's log. */
const written: object[] = [];
beforeEach(() => {
  jest.spyOn(logger, 'error').mockImplementation(() => undefined);
  jest.spyOn(Metrics.prototype, 'publishStoredMetrics').mockImplementation(function (this: Metrics) {
    written.push(this.serializeMetrics());
    this.clearMetrics();
    return this;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

test('the alarm of critical alerts watches what every function counts them under', async () => {
  const alarm = vaultAlarms().find(({ name }) => name === 'critical-alerts');
  const { metricName = '', dimensions = [] } = alarm?.metric.toMetricConfig().metricStat ?? {};
  await createUnrecordedAlerts().raise({
    tier: 'critical',
    kind: 'log_shrunk',
    workspaceId: 'ws_1',
    subject: 'lane 0',
    detail: {},
  });
  expect(dimensions).toHaveLength(1);
  expect(written).toMatchObject([
    { [metricName]: 1, ...Object.fromEntries(dimensions.map(({ name, value }) => [name, value])) },
  ]);
});
