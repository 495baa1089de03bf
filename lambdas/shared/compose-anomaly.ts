import { createDynamoAnomalyStates } from '../../aws/dynamo-anomaly-states.ts';
import { createDynamoClient } from '../../aws/dynamo-client.ts';
import type { AnomalyParts } from '../../core/anomaly/detect-workspace.ts';
import type { Locations } from '../../core/anomaly/locations.ts';
import { openIpLocations } from '../../net/ip-locations.ts';
import { createAlerts, createInsistingAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import type { Env } from './env.ts';

/** Without a database, what the edge tells of the country is all that is known. */
const NOWHERE: Locations = { of: () => undefined };
/** Whose alerts they are, as the trail names it. */
const JOB = 'anomaly';

/**
 * What looks for anomalies: the tables, what the detectors know, and where addresses are, if there is a database of that.
 *
 * @throws Error where that database cannot be read.
 */
export async function composeAnomaly(env: Env): Promise<AnomalyParts> {
  const tables = composeTables(env);
  const insisting = createInsistingAlerts(tables, JOB);
  return {
    ...tables,
    states: createDynamoAnomalyStates(createDynamoClient(), env.VAULT_TABLE),
    locations: env.GEO_DATABASE_FILE === undefined ? NOWHERE : await openIpLocations(env.GEO_DATABASE_FILE),
    record: (alert) => insisting.raise(alert),
    alerts: createAlerts(tables, JOB),
  };
}
