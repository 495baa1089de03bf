import { createCloudTrailCalls } from '../../aws/cloudtrail-calls.ts';
import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoJobState } from '../../aws/dynamo-job-state.ts';
import { createS3Client } from '../../aws/s3-archive.ts';
import { reconciliationStateSchema } from '../../core/reconciliation/reconciliation-state.ts';
import { createInsistingAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { type Env, required } from './env.ts';

/** What the reconciliation of key calls works with. */
export function composeReconciler(env: Env) {
  const tables = composeTables(env);
  const client = createDynamoClient();
  return {
    ...tables,
    keyCalls: createCloudTrailCalls(
      required(env, 'TRAIL_BUCKET'),
      required(env, 'SECRETS_KEY_ARNS'),
      createS3Client(),
    ),
    decryptingRoles: new Set(required(env, 'DECRYPTING_ROLE_ARNS').split(',')),
    states: createDynamoJobState(client, env.VAULT_TABLE, 'reconciler', reconciliationStateSchema),
    alerts: createInsistingAlerts(tables, 'reconciler'),
  };
}
