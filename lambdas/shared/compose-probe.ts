import { createProbeClient } from '../../net/probe-client.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { type Env, required } from './env.ts';

/** What the health probe works with. It has no key for values: those it asks the API for. */
export function composeProbe(env: Env) {
  const tables = composeTables(env);
  return {
    ...tables,
    client: createProbeClient(required(env, 'PUBLIC_URL')),
    alerts: createAlerts(tables, 'probe'),
  };
}
