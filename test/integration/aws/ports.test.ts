import { createBookkeeping } from '../../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoJobState } from '../../../aws/dynamo-job-state.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import { createDynamoVerifications } from '../../../aws/dynamo-verifications.ts';
import { createDynamoSyncRecords } from '../../../aws/sync-records.ts';
import { createDynamoDeliveryLog } from '../../../aws/webhook-deliveries.ts';
import { allKinds } from '../../../core/kinds.ts';
import { connectDynamo, createTables, TABLES } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { MemoryBookkeeping } from '../../support/memory-bookkeeping.ts';
import { MemoryDeliveryLog } from '../../support/memory-delivery-log.ts';
import { MemoryJobState } from '../../support/memory-job-state.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { MemorySyncRecords } from '../../support/memory-sync-records.ts';
import { MemoryVerifications } from '../../support/memory-verifications.ts';
import { describeBookkeeping } from './bookkeeping-contract.ts';
import { describeDeliveryLog } from './delivery-log-contract.ts';
import { describeInspector } from './inspector-contract.ts';
import { describeJobState, jobStateSchema, type TestState } from './job-state-contract.ts';
import { describeLedger } from './ledger-contract.ts';
import type { Ports } from './ports.ts';
import { describeStore } from './store-contract.ts';
import { describeSyncRecords } from './sync-records-contract.ts';
import { describeVerifications } from './verifications-contract.ts';

jest.setTimeout(60_000);

/** One suite for both implementations of each port, so that what other tests see in memory holds on DynamoDB. */
function describePorts(getPorts: () => Ports): void {
  describe('the ledger', () => describeLedger(getPorts));
  describe('the store', () => describeStore(getPorts));
  describe('the inspector', () => describeInspector(getPorts));
  describe('bookkeeping', () => describeBookkeeping(getPorts));
  describe('the log of deliveries', () => describeDeliveryLog(getPorts));
  describe('the records of syncs', () => describeSyncRecords(getPorts));
  describe('the states of verifications', () => describeVerifications(getPorts));
  describe('the states of jobs', () => describeJobState(getPorts));
}

describe('in memory', () => {
  const tables = new MemoryTables();
  const bookkeeping = new MemoryBookkeeping(tables);
  const deliveries = new MemoryDeliveryLog(tables);
  const verifications = new MemoryVerifications(tables);
  const syncRecords = new MemorySyncRecords(tables);
  const jobStates = new Map<string, MemoryJobState<TestState>>();
  const jobState = (name: string): MemoryJobState<TestState> => {
    const state = jobStates.get(name) ?? new MemoryJobState(tables, jobStateSchema);
    jobStates.set(name, state);
    return state;
  };
  tables.rowsPerRead = 100;
  describePorts(() => ({
    store: tables.store,
    ledger: tables.ledger,
    inspector: tables.inspector,
    bookkeeping,
    deliveries,
    syncRecords,
    verifications,
    jobState,
  }));
});

describeWithDynamoDb('on DynamoDB', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    await createTables(client);
  });
  afterAll(() => client.destroy());
  describePorts(() => ({
    store: createDynamoStore(client, TABLES.vaultTable),
    ledger: createDynamoLedger(client, TABLES),
    inspector: createDynamoInspector(client, TABLES.vaultTable, allKinds),
    bookkeeping: createBookkeeping(client, TABLES.vaultTable),
    deliveries: createDynamoDeliveryLog(client, TABLES.vaultTable),
    syncRecords: createDynamoSyncRecords(client, TABLES.vaultTable),
    verifications: createDynamoVerifications(client, TABLES.vaultTable),
    jobState: (name) => createDynamoJobState(client, TABLES.vaultTable, name, jobStateSchema),
  }));
});
