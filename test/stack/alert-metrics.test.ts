import { readFileSync } from 'node:fs';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { createAlerts, createUnrecordedAlerts } from '../../lambdas/shared/alerts.ts';
import { logger } from '../../lambdas/shared/logger.ts';
import { vaultAlarms } from '../../lib/watch/vault-alarms.ts';

/** As CloudWatch reads them from a function's log. */
let written: object[];
beforeEach(() => {
  written = [];
  jest.spyOn(logger, 'error').mockImplementation(() => undefined);
  jest.spyOn(logger, 'warn').mockImplementation(() => undefined);
  jest.spyOn(Metrics.prototype, 'publishStoredMetrics').mockImplementation(function (this: Metrics) {
    written.push(this.serializeMetrics());
    this.clearMetrics();
    return this;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const dimensionsOf = ({ metric }: ReturnType<typeof vaultAlarms>[number]) => {
  const { metricName = '', dimensions = [] } = metric.toMetricConfig().metricStat ?? {};
  return { metricName, dimensions };
};

test('each alarm watches a metric that its function counts, under that function’s name alone', () => {
  for (const alarm of vaultAlarms()) {
    const { metricName, dimensions } = dimensionsOf(alarm);
    const [service, ...others] = dimensions;
    expect([alarm.name, service?.name, others]).toEqual([alarm.name, 'service', []]);
    if (service?.value === 'alerts') continue;
    // Powertools makes POWERTOOLS_SERVICE_NAME the one dimension of what a handler counts.
    const handler = readFileSync(`lambdas/${service?.value}/handler.ts`, 'utf8');
    expect([alarm.name, handler.includes(`addMetric('${metricName}'`)]).toEqual([alarm.name, true]);
    expect(handler).toContain('new Metrics()');
  }
});

test('what cannot be recorded is counted where its alarm looks', async () => {
  const alarm = vaultAlarms().find(({ name }) => name === 'unrecorded-alerts');
  if (alarm === undefined) throw new Error('There is no such alarm.');
  const { metricName, dimensions } = dimensionsOf(alarm);
  const refusing = { get: async () => Promise.reject(new Error('down')) };
  const parts = { store: refusing, clock: { now: () => 0 } } as unknown as Parameters<typeof createAlerts>[0];
  await createAlerts(parts, 'test').raise({
    tier: 'info',
    kind: 'log_shrunk',
    workspaceId: 'ws_1',
    subject: 'lane 0',
    detail: {},
  });
  expect(written).toContainEqual(
    expect.objectContaining({
      [metricName]: 1,
      ...Object.fromEntries(dimensions.map(({ name, value }) => [name, value])),
    }),
  );
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
