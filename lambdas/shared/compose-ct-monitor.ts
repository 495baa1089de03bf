import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoJobState } from '../../aws/dynamo-job-state.ts';
import { certificateStateSchema } from '../../core/certificates/certificate-state.ts';
import { createCertificateSearch } from '../../net/certificate-search.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import type { Env } from './env.ts';

/** What the watch over certificates works with. Without domains, it watches nothing. */
export function composeCtMonitor(env: Env) {
  const tables = composeTables(env);
  const { WATCHED_DOMAINS: domains, CERTIFICATE_ISSUERS: issuers } = env;
  return {
    ...tables,
    certificates: createCertificateSearch(env.CERTIFICATE_SEARCH_URL),
    states: createDynamoJobState(createDynamoClient(), env.VAULT_TABLE, 'ct-monitor', certificateStateSchema),
    alerts: createAlerts(tables, 'ct-monitor'),
    domains: listOf(domains).map((domain) => domain.toLowerCase()),
    ...(issuers === undefined ? {} : { issuers: listOf(issuers) }),
  };
}

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
