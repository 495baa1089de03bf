import { alertId } from '../../core/alerts/alert-record.ts';
import { raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { Alert } from '../../core/detection/alert.ts';
import type { RouteCase } from './route-cases.ts';
import { freshName, NAMESPACE, VALUE, type World } from './world.ts';

/** A new alert of the workspace; gives its id. */
async function newAlert({ vault, workspaceId }: World): Promise<string> {
  const alert: Alert = {
    tier: 'warning',
    kind: 'job_failed',
    workspaceId,
    subject: `job ${freshName()}`,
    detail: { reason: 'test' },
  };
  await raiseAlert(vault, alert, 'test');
  return alertId(alert);
}

const ofAlert = (suffix: string) => async (world: World) => ({
  path: `/alerts/${await newAlert(world)}${suffix}`,
});

/** What is wrong, and the secrets that exist to be found by an intruder. */
export const ALERT_ROUTE_CASES: readonly RouteCase[] = [
  {
    route: 'GET /alerts',
    request: async (world) => {
      await newAlert(world);
      return { path: '/alerts', query: { state: 'open' } };
    },
  },
  { route: 'GET /alerts/{id}', request: ofAlert('') },
  { route: 'POST /alerts/{id}/acknowledge', request: ofAlert('/acknowledge') },
  { route: 'POST /alerts/{id}/close', request: ofAlert('/close') },
  {
    route: 'POST /secrets',
    when: 'a decoy',
    request: async () => ({
      path: '/secrets',
      json: { namespace: NAMESPACE, name: freshName(), value: VALUE, decoy: true },
    }),
  },
  {
    route: 'GET /secrets',
    when: 'decoys',
    request: async () => ({ path: '/secrets', query: { decoy: 'true' } }),
  },
];
