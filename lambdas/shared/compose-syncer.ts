import { createCustomerSecrets } from '../../aws/customer-secrets.ts';
import { createKmsKeys } from '../../aws/kms-keys.ts';
import type { SyncParts } from '../../core/secrets-sync/sync-run.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import type { Env } from './env.ts';
import { syncSite } from './sync-site.ts';

/** What copies secrets: the tables, the keys of values, and the way into the accounts of customers. */
export function composeSyncer(env: Env): SyncParts {
  const tables = composeTables(env);
  const site = syncSite(env);
  return {
    ...tables,
    keys: createKmsKeys(),
    customerSecrets: createCustomerSecrets(site),
    syncSite: site,
    alerts: createAlerts(tables, 'syncer'),
  };
}
