import { createHash } from 'node:crypto';
import type { Principal, RequestContext } from '../../core/access/principal.ts';
import { ALL_NAMESPACES, type Role } from '../../core/access/role.ts';
import { PRINCIPAL_LANE } from '../../core/audit/event.ts';
import { type AuditRow, decodeRow } from '../../core/audit/row.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import { createCursors } from '../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import { allKinds } from '../../core/kinds.ts';
import { createRequestLimit } from '../../core/plans/request-limit.ts';
import { type SetUpResult, setUp } from '../../core/workspaces/set-up.ts';
import { FakeClock } from './clock.ts';
import { MemoryArchive } from './memory-archive.ts';
import { MemoryBookkeeping } from './memory-bookkeeping.ts';
import { CUSTOMER_KEYS, MemoryCustomerKeys } from './memory-customer-keys.ts';
import { type MemoryCustomerSecrets, memorySync } from './memory-customer-secrets.ts';
import { MemoryDeliveryLog } from './memory-delivery-log.ts';
import { keysOfDeployment } from './memory-keys.ts';
import { MemoryTables } from './memory-ledger.ts';
import { MemorySeals } from './memory-seals.ts';
import { MemoryBreachedPasswords, MemoryMail, QUICK_HASHER } from './memory-services.ts';
import { MemorySigner } from './memory-signer.ts';
import type { MemorySyncRecords } from './memory-sync-records.ts';
import { MemoryVerifications } from './memory-verifications.ts';
import { SeededRandom } from './random.ts';
import type { WorldVault } from './world.ts';

export const PUBLIC_URL = 'https://vault.example.com';
export const SETUP_TOKEN = 'the-operators-setup-token';
export const CALLER = { ip: '203.0.113.7', userAgent: 'test' };

export interface MemoryVault extends WorldVault {
  readonly tables: MemoryTables;
  readonly clock: FakeClock;
  readonly deliveries: MemoryDeliveryLog;
  readonly keys: MemoryCustomerKeys;
  readonly customerSecrets: MemoryCustomerSecrets;
  readonly syncRecords: MemorySyncRecords;
  readonly mail: MemoryMail;
  readonly breached: MemoryBreachedPasswords;
  readonly log: MemoryLog;
  readonly verifications: MemoryVerifications;
}

/** The workspaces' logs in memory, which all function instances share. */
export interface MemoryLog {
  readonly archive: MemoryArchive;
  readonly seals: MemorySeals;
  readonly signer: MemorySigner;
  readonly logName: string;
}

/** What two function instances share. */
type Shared = Pick<MemoryVault, 'tables' | 'clock' | 'bookkeeping' | 'deliveries' | 'log' | 'verifications'>;

let instances = 0;

/** All that the API needs, over memory ports. With `shared`: one more function instance on the same tables. */
export function memoryVault(shared: Shared = newTables()): MemoryVault {
  instances += 1;
  const { tables, clock, bookkeeping, deliveries, log, verifications } = shared;
  const random = new SeededRandom(instances);
  const secret = 'r'.repeat(43);
  const keys = new MemoryCustomerKeys(new Uint8Array(32).fill(7), random);
  const derivedKeys = createDerivedKeys(async () => ({ current: '1', secrets: new Map([['1', secret]]) }));
  const { ledger, store } = tables;
  const alerts = { raise: async () => undefined };
  const defaultPlan = 'enterprise';
  return {
    tables,
    clock,
    bookkeeping,
    log,
    random,
    derivedKeys,
    ledger: tables.ledger,
    store: tables.store,
    inspector: tables.inspector,
    kinds: allKinds,
    trail: createAuditTrail({ ledger: tables.ledger, clock, random }),
    keys,
    keyInspector: keys,
    deploymentKeys: keysOfDeployment(),
    customerKeys: CUSTOMER_KEYS,
    newCustomerKey: async (workspaceId) => keys.newCustomerKey(workspaceId),
    signer: new MemorySigner(new Uint8Array(32).fill(9)),
    publicUrl: PUBLIC_URL,
    hasher: QUICK_HASHER,
    breached: new MemoryBreachedPasswords(),
    mail: new MemoryMail(),
    cursors: createCursors(derivedKeys, random),
    setupToken: async () => SETUP_TOKEN,
    deliveries,
    verifications,
    alerts,
    defaultPlan,
    ...memorySync(tables),
    requestLimit: createRequestLimit({ ledger, store, bookkeeping, clock, alerts, defaultPlan }),
    receivers: { allowPrivate: false, sendsMail: true, topicArns: [] },
  };
}

function newTables(): Shared {
  const tables = new MemoryTables();
  const clock = new FakeClock();
  return {
    tables,
    clock,
    bookkeeping: new MemoryBookkeeping(tables),
    deliveries: new MemoryDeliveryLog(tables),
    log: memoryLog(tables, clock),
    verifications: new MemoryVerifications(tables),
  };
}

export function memoryLog(tables: MemoryTables, clock: Clock): MemoryLog {
  return {
    archive: new MemoryArchive(tables, clock),
    seals: new MemorySeals(tables),
    signer: new MemorySigner(new Uint8Array(32).fill(5)),
    logName: 'lockzero.example',
  };
}

/** A vault with its first workspace, and that workspace's owner. */
export async function installedVault(): Promise<{
  readonly vault: MemoryVault;
  readonly installed: SetUpResult;
  readonly owner: RequestContext;
}> {
  const vault = memoryVault();
  const input = { setupToken: SETUP_TOKEN, workspaceName: 'Acme' };
  const installed = await setUp(vault, input, CALLER);
  const { workspaceId, apiKey } = installed;
  return { vault, installed, owner: callerWith({ workspaceId, role: 'owner', id: apiKey.id }) };
}

/** A request of somebody with these rights; by default, an operator of `ws_1` for all namespaces. */
export function callerWith(
  rights: { readonly role?: Role } & Partial<Principal>,
  headers: Pick<RequestContext, 'idempotencyKey' | 'precondition'> = {},
): RequestContext {
  const { role = 'operator', workspaceId = 'ws_1', namespaces = [ALL_NAMESPACES] } = rights;
  const named = `${workspaceId} ${role} ${namespaces.join(' ')}`;
  const id = rights.id ?? `key_${createHash('sha256').update(named).digest('hex').slice(0, 32)}`;
  return { principal: { type: 'api_key', id, workspaceId, role, namespaces }, ...CALLER, ...headers };
}

/** The readable rows of a lane, oldest first. */
export function rowsOf({ tables }: MemoryVault, workspaceId: string, lane = 0): AuditRow[] {
  return tables.lane({ workspaceId, lane }).map(({ bytes }) => decodeRow(bytes));
}

/** The readable rows of what principals did in all workspaces but the platform's, in the order of writing. */
export function tenantRows({ tables }: MemoryVault): AuditRow[] {
  return [...tables.rows.values()]
    .filter(({ workspaceId, lane }) => workspaceId !== PLATFORM_WORKSPACE && lane === PRINCIPAL_LANE)
    .map(({ bytes }) => decodeRow(bytes));
}
