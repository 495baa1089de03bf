import { createCloudTrailCalls } from '../../aws/cloudtrail-calls.ts';
import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoJobState } from '../../aws/dynamo-job-state.ts';
import { createS3Client } from '../../aws/s3-archive.ts';
import { reconciliationStateSchema } from '../../core/reconciliation/reconciliation-state.ts';
import { createInsistingAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { deploymentKeys } from './deployment-keys.ts';
import { type Env, required } from './env.ts';

/** What the reconciliation of key calls works with. */
export function composeReconciler(env: Env) {
  const tables = composeTables(env);
  const client = createDynamoClient();
  const keys = deploymentKeys(env);
  return {
    ...tables,
    keyCalls: createCloudTrailCalls(required(env, 'TRAIL_BUCKET'), keys.allOwn, createS3Client()),
    deploymentKeys: keys,
    roles: {
      decrypting: new Set(required(env, 'DECRYPTING_ROLE_ARNS').split(',')),
      rewrapping: new Set(required(env, 'REWRAPPING_ROLE_ARNS').split(',')),
    },
    states: createDynamoJobState(client, env.VAULT_TABLE, 'reconciler', reconciliationStateSchema),
    alerts: createInsistingAlerts(tables, 'reconciler'),
  };
}
