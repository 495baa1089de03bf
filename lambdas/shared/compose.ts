import { createBookkeeping } from '../../aws/bookkeeping.ts';
import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoInspector } from '../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../aws/dynamo-store.ts';
import { createDynamoVerifications } from '../../aws/dynamo-verifications.ts';
import { createDynamoSyncRecords } from '../../aws/sync-records.ts';
import { createDynamoDeliveryLog } from '../../aws/webhook-deliveries.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import { allKinds } from '../../core/kinds.ts';
import type { Env } from './env.ts';
import { systemClock, systemRandom } from './system.ts';

/** What every function works with: the two tables, the door for writes, time and chance. */
export function composeTables(env: Env) {
  const client = createDynamoClient();
  const ledger = createDynamoLedger(client, { vaultTable: env.VAULT_TABLE, auditTable: env.AUDIT_TABLE });
  return {
    ledger,
    store: createDynamoStore(client, env.VAULT_TABLE),
    inspector: createDynamoInspector(client, env.VAULT_TABLE, allKinds),
    bookkeeping: createBookkeeping(client, env.VAULT_TABLE),
    deliveries: createDynamoDeliveryLog(client, env.VAULT_TABLE),
    syncRecords: createDynamoSyncRecords(client, env.VAULT_TABLE),
    verifications: createDynamoVerifications(client, env.VAULT_TABLE),
    trail: createAuditTrail({ ledger, clock: systemClock, random: systemRandom }),
    kinds: allKinds,
    clock: systemClock,
    random: systemRandom,
  };
}
