import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoRowRemover } from '../../aws/dynamo-row-remover.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { composeLog } from './compose-log.ts';
import type { Env } from './env.ts';
import { systemClock } from './system.ts';

/** What retention works with: the only function that can delete audit rows. */
export function composeRetention(env: Env) {
  const tables = composeTables(env);
  return {
    ...tables,
    ...composeLog(env),
    remover: createDynamoRowRemover(createDynamoClient(), env.AUDIT_TABLE, systemClock),
    alerts: createAlerts(tables, 'retention'),
  };
}
