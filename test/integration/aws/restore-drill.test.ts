import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoRestore } from '../../../aws/dynamo-restore.ts';
import { createDynamoSeals } from '../../../aws/dynamo-seals.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import { createDynamoTableSettings } from '../../../aws/dynamo-table-settings.ts';
import { createDynamoVerifications } from '../../../aws/dynamo-verifications.ts';
import type { RawItem } from '../../../aws/items.ts';
import { createDynamoDeliveryLog } from '../../../aws/webhook-deliveries.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { Backup } from '../../../core/backup/read-manifest.ts';
import { apiKeyKind } from '../../../core/identity/api-key.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { allKinds } from '../../../core/kinds.ts';
import { drillArchive } from '../../../core/restore/drill-archive.ts';
import { restoreDeployment } from '../../../core/restore/restore-deployment.ts';
import type { RestoreParts } from '../../../core/restore/restore-parts.ts';
import { sealDeployment } from '../../../core/seal/seal-deployment.ts';
import type { SealStates } from '../../../core/seal/seal-state.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { secretKind } from '../../../core/secrets/secret.ts';
import { setUp } from '../../../core/workspaces/set-up.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { connectDynamo, createTables } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { QUICK_HASHER } from '../../support/memory-services.ts';
import {
  CALLER,
  callerWith,
  type MemoryVault,
  memoryVault,
  SETUP_TOKEN,
} from '../../support/memory-vault.ts';

jest.setTimeout(120_000);

interface Tables {
  readonly vaultTable: string;
  readonly auditTable: string;
}

type Lines = readonly string[];

type TableVault = Omit<MemoryVault, 'log'> & {
  readonly log: Omit<MemoryVault['log'], 'seals'> & { readonly seals: SealStates };
};

/** A vault with real tables, and everything else in memory. */
async function vaultOn(client: DynamoDBDocumentClient, tables: Tables): Promise<TableVault> {
  await createTables(client, tables);
  const vault = memoryVault();
  const { clock, random, log } = vault;
  const ledger = createDynamoLedger(client, tables);
  return {
    ...vault,
    ledger,
    store: createDynamoStore(client, tables.vaultTable),
    inspector: createDynamoInspector(client, tables.vaultTable, allKinds),
    trail: createAuditTrail({ ledger, clock, random }),
    log: { ...log, seals: createDynamoSeals(client, tables.vaultTable) },
  };
}

function namedTables(): Tables {
  const name = randomUUID();
  return { vaultTable: `vault-${name}`, auditTable: `audit-${name}` };
}

/** A table as DynamoDB exports it: each item a line of DynamoDB JSON. */
async function exported(client: DynamoDBDocumentClient, table: string): Promise<Lines> {
  const { Items: items = [] } = await client.send(
    new ScanCommand({ TableName: table, ConsistentRead: true }),
  );
  return items.map((item) => JSON.stringify({ Item: item }, (_, value) => base64(value)));
}

function base64(value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && 'B' in value;
  return isBytes ? { B: Buffer.from((value as RawItem[string]).B ?? []).toString('base64') } : value;
}

async function seal(vault: TableVault): Promise<void> {
  const alerts = { raise: async () => undefined };
  const parts = { ...vault, ...vault.log, staging: vault.log.archive.staging, alerts };
  for await (const { error } of sealDeployment(parts, { force: true })) if (error !== undefined) throw error;
}

function backupOf(lines: { readonly vault: Lines; readonly audit: Lines }): Backup {
  const table = (name: 'vault' | 'audit') => ({
    exportArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${name}/export/1`,
    tableArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`,
    instant: 0,
    itemCount: lines[name].length,
    billedSizeBytes: lines[name].join('').length,
    files: [{ key: name, itemCount: lines[name].length, md5: '', etag: '' }],
  });
  return {
    instant: Date.parse('2026-01-01T00:00:00Z'),
    tables: { vault: table('vault'), audit: table('audit') },
  };
}

describeWithDynamoDb('a backup that was taken while writers went on', (getEndpoint) => {
  let client: DynamoDBDocumentClient;
  let source: TableVault;
  let backup: Backup;
  let lines: { readonly vault: Lines; readonly audit: Lines };
  const ids = { workspace: '', other: '', revoked: '', good: '', changed: '', lost: '', halfKey: '' };

  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    const tables = namedTables();
    source = await vaultOn(client, tables);
    const installed = await setUp(
      source,
      {
        setupToken: SETUP_TOKEN,
        workspaceName: 'Acme',
        email: 'owner@example.com',
        password: 'correct-Horse-battery-9',
      },
      CALLER,
    );
    ids.workspace = installed.workspaceId;
    ids.other = await addWorkspace(source);
    const owner = callerWith({ workspaceId: ids.workspace, role: 'owner' });
    const add = (name: string, context = owner) =>
      createSecret(source, context, { namespace: 'prod', name, value: `value of ${name}` });
    ids.changed = (await add('changed')).id;
    for (let index = 0; index < 8; index += 1) await add(`kept-${index}`);
    await add('theirs', callerWith({ workspaceId: ids.other, role: 'owner' }));
    ids.revoked = (await addKey(source, ids.workspace, { role: 'admin' })).id;
    ids.good = (await addKey(source, ids.workspace, { role: 'viewer' })).id;
    await seal(source);

    // The export reaches the audit table before a key is made, and the vault table after: half a transaction.
    const audit = await exported(client, tables.auditTable);
    ids.halfKey = (await addKey(source, ids.workspace, { role: 'owner' })).id;
    const vault = await exported(client, tables.vaultTable);
    // What comes after the backup is in the log alone, but for the key's row, which another one took the place of.
    lines = { vault, audit };
    backup = backupOf(lines);
  });

  /** Empty tables, and a restore into them that uses nothing of the old ones but the archive and the keys. */
  async function target() {
    const tables = namedTables();
    await createTables(client, tables);
    const make = (): RestoreParts => {
      const { clock, random } = source;
      const ledger = createDynamoLedger(client, tables);
      const seals = createDynamoSeals(client, tables.vaultTable);
      const archive = drillArchive(source.log.archive);
      const { signer, logName } = source.log;
      return {
        ledger,
        seals,
        archive,
        signer,
        logName,
        log: { archive, seals, signer, logName },
        staging: source.log.archive.staging,
        store: createDynamoStore(client, tables.vaultTable),
        inspector: createDynamoInspector(client, tables.vaultTable, allKinds),
        kinds: allKinds,
        verifications: createDynamoVerifications(client, tables.vaultTable),
        deliveries: createDynamoDeliveryLog(client, tables.vaultTable),
        trail: createAuditTrail({ ledger, clock, random }),
        clock,
        random,
        alerts: { raise: async () => undefined },
        keys: source.keys,
        deploymentKeys: source.deploymentKeys,
        dummyHash: QUICK_HASHER.dummyHash,
        files: { lines: ({ key }) => linesOf(lines[key === 'vault' ? 'vault' : 'audit']) },
        tables: createDynamoRestore(client, tables, { clock, random }),
        settings: createDynamoTableSettings(client, tables, clock),
      };
    };
    return { tables, make };
  }

  test('comes back whole: the half key is revoked, and secrets open', async () => {
    const { make } = await target();
    const parts = make();
    const report = await restoreDeployment(parts, backup, { isResumed: false, samples: 3 });
    expect(report.verdicts.flatMap(({ findings }) => findings.breaks)).toEqual([]);
    expect(report.samples).toEqual({ opened: 4, leftOut: 0, failures: [] });
    expect(report.isGood).toBe(true);
    expect(report.reconciled).toEqual([
      { workspaceId: ids.workspace, kind: 'apiKey', id: ids.halfKey, discord: 'ahead', outcome: 'closed' },
    ]);
    expect((await parts.store.find(apiKeyKind, ids.halfKey))?.revokedAt).toBeDefined();
    expect((await parts.store.find(apiKeyKind, ids.good))?.revokedAt).toBeUndefined();
    const settings = report.settings.map(({ setting, outcome }) => `${setting}: ${outcome}`);
    expect(settings).toEqual(expect.arrayContaining(['time to live: applied', 'stream: applied']));

    // A second run looks once more, and changes nothing.
    const again = await restoreDeployment(make(), backup, { isResumed: true, samples: 0 });
    expect({ ...again, reconciled: again.reconciled, loaded: again.loaded }).toMatchObject({
      isGood: true,
      reconciled: [],
    });
    expect(again.loaded).toBeUndefined();
    await expect(restoreDeployment(make(), backup, { isResumed: false, samples: 0 })).rejects.toMatchObject({
      reason: 'begun',
    });
  });

  test('is refilled from the log: what was revoked stays revoked, and what is lost is named', async () => {
    const owner = callerWith({ workspaceId: ids.workspace, role: 'owner' });
    await revokeApiKey(source, owner, ids.revoked);
    await putValue(source, owner, ids.changed, 'a newer value');
    ids.lost = (await createSecret(source, owner, { namespace: 'prod', name: 'lost', value: 'x' })).id;
    await seal(source);

    const { make } = await target();
    // The process dies while it reconciles, and the next one goes on.
    const dying = make();
    const commit: RestoreParts['trail']['commit'] = async (origin, events) => {
      const rows = await dying.trail.commit(origin, events);
      if (events.some(({ action }) => action === 'entity.reconciled')) throw new Error('The process died.');
      return rows;
    };
    await expect(
      restoreDeployment({ ...dying, trail: { commit } }, backup, { isResumed: false, samples: 0 }),
    ).rejects.toThrow('The process died.');

    const parts = make();
    const report = await restoreDeployment(parts, backup, { isResumed: true, samples: 2 });
    expect(report.verdicts.flatMap(({ findings }) => findings.breaks)).toEqual([]);
    expect(report.isGood).toBe(true);
    expect((await parts.store.find(apiKeyKind, ids.revoked))?.revokedAt).toBeDefined();
    expect((await parts.store.find(apiKeyKind, ids.halfKey))?.revokedAt).toBeUndefined();
    expect(await parts.store.get(secretKind, ids.workspace, ids.lost)).toBeUndefined();
    expect((await parts.store.get(secretKind, ids.workspace, ids.changed))?.currentVersion).toBe(1);
    const rows = await parts.ledger.rows({ workspaceId: ids.workspace, lane: 0 }, 1, 1_000);
    const told = rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')));
    const lost = told.filter(({ detail }) => detail.outcome === 'lost').map(({ entity }) => entity.id);
    expect(lost).toEqual(expect.arrayContaining([ids.lost, `${ids.changed}.2`, 'prod/lost']));
  });

  test('goes on where loading stopped, and overwrites nothing', async () => {
    const { make } = await target();
    const dying = make();
    const write: RestoreParts['tables']['write'] = async (table, chunk, isResumed) => {
      await dying.tables.write(table, chunk.slice(0, 3), isResumed);
      throw unavailable('The process died.');
    };
    await expect(
      restoreDeployment({ ...dying, tables: { ...dying.tables, write } }, backup, {
        isResumed: false,
        samples: 0,
      }),
    ).rejects.toMatchObject({ code: 'unavailable' });
    const report = await restoreDeployment(make(), backup, { isResumed: true, samples: 0 });
    expect(report).toMatchObject({ isGood: true, loaded: { audit: { same: 3 } } });

    const other = {
      ...backup,
      tables: { ...backup.tables, vault: { ...backup.tables.vault, exportArn: 'x' } },
    };
    await expect(restoreDeployment(make(), other, { isResumed: true, samples: 0 })).rejects.toMatchObject({
      reason: 'other_restore',
    });
  });

  test('is refused by tables that hold anything else', async () => {
    const tables = namedTables();
    await vaultOn(client, tables);
    const { clock, random } = source;
    const restored = createDynamoRestore(client, tables, { clock, random });
    expect(await restored.areEmpty()).toBe(true);
    await restored.write('audit', lines.audit.slice(0, 1), false);
    expect(await restored.areEmpty()).toBe(false);
    const [first = ''] = lines.audit;
    const altered = first.replace(/"b":\{"B":"[^"]*"/, '"b":{"B":"AAAA"');
    await expect(restored.write('audit', [altered], true)).rejects.toMatchObject({
      reason: 'different_item',
    });
    const expired = JSON.stringify({ Item: { pk: { S: 'E#x' }, sk: { S: '~' }, ttl: { N: '1' } } });
    const dropped = JSON.stringify({ Item: { pk: { S: 'B#verify' }, sk: { S: 'ws' } } });
    expect(await restored.write('vault', [expired, dropped], false)).toMatchObject({
      written: 0,
      expired: 1,
      dropped: 1,
    });
    await expect(restored.write('vault', ['{"Item":{}}'], false)).rejects.toMatchObject({
      reason: 'malformed',
    });
  });
});

async function* linesOf(lines: Lines): AsyncGenerator<string> {
  yield* lines;
}
