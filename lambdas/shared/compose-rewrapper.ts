import { createKmsKeys } from '../../aws/kms-keys.ts';
import type { MigrationParts } from '../../core/encryption-keys/migration-parts.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { deploymentKeys } from './deployment-keys.ts';
import type { Env } from './env.ts';

/** What moves values from key to key works with: of the key service, it is given nothing but the move. */
export function composeRewrapper(env: Env): MigrationParts {
  const tables = composeTables(env);
  const { reEncrypt } = createKmsKeys();
  return {
    ...tables,
    keys: { reEncrypt },
    deploymentKeys: deploymentKeys(env),
    alerts: createAlerts(tables, 'rewrapper'),
  };
}
