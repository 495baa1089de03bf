import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoJobState } from '../../aws/dynamo-job-state.ts';
import { reviewStateSchema } from '../../core/access-review/review-state.ts';
import { snapshotStateSchema } from '../../core/posture/snapshot-state.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import type { Env } from './env.ts';

/** What counts workspaces and judges their posture. */
export function composeSnapshot(env: Env) {
  const tables = composeTables(env);
  const client = createDynamoClient();
  return {
    ...tables,
    alerts: createAlerts(tables, 'snapshot'),
    defaultPlan: env.DEFAULT_PLAN,
    snapshots: (workspaceId: string) =>
      createDynamoJobState(client, env.VAULT_TABLE, `snapshot#${workspaceId}`, snapshotStateSchema),
  };
}

/** What looks for keys and members that are not used. */
export function composeAccessReview(env: Env) {
  const tables = composeTables(env);
  const client = createDynamoClient();
  return {
    ...tables,
    reviews: (workspaceId: string) =>
      createDynamoJobState(client, env.VAULT_TABLE, `access-review#${workspaceId}`, reviewStateSchema),
    alerts: createAlerts(tables, 'access-review'),
  };
}
