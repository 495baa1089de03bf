import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { createBookkeeping } from '../../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import { entityItem, entityKey, type ItemKey, rowItem, rowKey } from '../../../aws/items.ts';
import type { RequestContext } from '../../../core/access/principal.ts';
import { buildRows } from '../../../core/audit/build-rows.ts';
import { exportEvents } from '../../../core/audit/export-events.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { listEvents } from '../../../core/audit/list-events.ts';
import { decodeRow, GENESIS_HASH, rowHash } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { Break } from '../../../core/audit/verify-lane.ts';
import { apiKeyId, apiKeyKind, newToken, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { create } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { allKinds } from '../../../core/kinds.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { secretVersionKind } from '../../../core/secrets/secret.ts';
import { setUp } from '../../../core/workspaces/set-up.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { connectDynamo, createTables } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { CALLER, callerWith, memoryVault, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { brokenWorkspaces, verified } from '../../support/verified.ts';

jest.setTimeout(60_000);

type Raw = Record<string, AttributeValue>;

/** More digits than any JavaScript number has: the SDK refuses to convert it. */
const ODD_NUMBER: AttributeValue = { N: '9007199254740993.5' };

/**
 * What somebody can do who may write the tables, but not through the vault: items of any shape, under any key. The
 * vault must go on recording, and its verifier must come to its end and tell of it.
 */
describeWithDynamoDb('forgeries in the tables', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  let tables = { vaultTable: '', auditTable: '' };
  let made = 0;
  let vault: Vault;
  let owner: RequestContext;
  let ws: string;
  let secretId: string;
  let lane0: { workspaceId: string; lane: number };

  beforeAll(() => {
    client = connectDynamo(getEndpoint());
  });
  afterAll(() => client.destroy());
  /** Lane 0: 1 workspace, 2 lane opened, 3 key, 4 namespace, 5 secret. */
  beforeEach(async () => {
    made += 1;
    tables = { vaultTable: `vault-${made}`, auditTable: `audit-${made}` };
    await createTables(client, tables);
    vault = newInstance();
    const installed = await setUp(vault, { setupToken: SETUP_TOKEN, workspaceName: 'Acme' }, CALLER);
    ws = installed.workspaceId;
    lane0 = { workspaceId: ws, lane: 0 };
    owner = callerWith({ workspaceId: ws, role: 'owner', id: installed.apiKey.id });
    ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v' }));
  });

  /** One more function instance, which knows nothing but the tables. */
  function newInstance(): Vault {
    const parts = memoryVault();
    const { clock, random } = parts;
    const ledger = createDynamoLedger(client, tables);
    return {
      ...parts,
      ledger,
      store: createDynamoStore(client, tables.vaultTable),
      inspector: createDynamoInspector(client, tables.vaultTable, allKinds),
      bookkeeping: createBookkeeping(client, tables.vaultTable),
      trail: createAuditTrail({ ledger, clock, random }),
    };
  }

  const rawKey = ({ pk, sk }: ItemKey): Raw => ({ pk: { S: pk }, sk: { S: sk } });
  const put = (table: string, item: Raw) => client.send(new PutItemCommand({ TableName: table, Item: item }));
  const set = (table: string, key: ItemKey, name: string, value: AttributeValue) =>
    client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: rawKey(key),
        UpdateExpression: 'SET #name = :value',
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  async function get(table: string, key: ItemKey): Promise<Raw> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, Key: rawKey(key), ConsistentRead: true }),
    );
    if (Item === undefined) throw new Error(`There is no item ${key.pk} ${key.sk}.`);
    return Item;
  }
  async function empty(table: string, where: (item: Raw) => boolean = () => true): Promise<void> {
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    for (const item of Items.filter(where)) {
      const { pk = { S: '' }, sk = { S: '' } } = item;
      await client.send(new DeleteItemCommand({ TableName: table, Key: { pk, sk } }));
    }
  }

  /** Verifies as the nightly job does; fails if it goes round in circles. */
  async function broken(): Promise<Record<string, readonly Break[]>> {
    const instance = newInstance();
    let reads = 0;
    const rows: Vault['ledger']['rows'] = (...args) => {
      reads += 1;
      if (reads > 100) throw new Error('The verifier reads the same rows again and again.');
      return instance.ledger.rows(...args);
    };
    return brokenWorkspaces({ ...instance, ledger: { ...instance.ledger, rows } });
  }

  /** A request of an instance that starts now is recorded; gives the number of its row. */
  async function recorded(): Promise<number> {
    const instance = newInstance();
    await getSecret(instance, owner, secretId);
    const row = await instance.ledger.lastRow(lane0);
    expect(row && decodeRow(row.bytes)).toMatchObject({ action: 'secret.read', seq: row?.seq });
    return row?.seq ?? 0;
  }

  it('an honest deployment has none', async () => {
    expect(await recorded()).toBe(6);
    expect(await broken()).toEqual({});
  });

  it("an owner's key, explained by a row in a lane that nobody walks", async () => {
    const token = newToken(vault.random);
    const key = create(apiKeyKind, {
      workspaceId: ws,
      id: apiKeyId(token),
      name: 'forged',
      role: 'owner',
      namespaces: ['*'],
      tokenHash: tokenHash(token),
      honeypot: false,
      createdAt: timestamp(vault.clock.now()),
      createdBy: 'setup',
    });
    const { id } = key.entity;
    const { rows } = buildRows(
      { seq: 0, hash: GENESIS_HASH, time: 0 },
      { ...systemOrigin(ws), lane: 7 },
      [{ action: 'api_key.created', entity: { type: 'api_key', id }, result: 'success', changes: [key] }],
      vault.clock.now(),
      vault.random,
    );
    for (const row of rows) await put(tables.auditTable, marshall(rowItem(row)));
    const item = entityItem(key.kind, key.entity, { lane: 7, seq: 1 });
    await put(tables.vaultTable, marshall(item, { removeUndefinedValues: true }));
    expect(await authenticate(vault, `Bearer ${token}`, CALLER)).toMatchObject({ role: 'owner' });
    expect(await broken()).toEqual({
      [ws]: [{ lane: 7, seq: 1, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } }],
    });
  });

  describe('a number that no JavaScript number is', () => {
    it('in an item of the vault table, whosever', async () => {
      await put(tables.vaultTable, { pk: { S: 'odd' }, sk: { S: '~' }, n: ODD_NUMBER });
      await set(tables.vaultTable, entityKey(allKinds.get('secret') as never, ws, secretId), 'n', ODD_NUMBER);
      const found = await broken();
      // Neither can be read, so each is told by its key alone.
      expect(found['']?.map(({ reason, entity }) => [reason, entity?.id]).toSorted()).toEqual([
        ['entity_unexplained', `E#${ws}#secret#${secretId}`],
        ['entity_unexplained', 'odd'],
      ]);
      expect(found[ws]).toEqual([
        { lane: 0, seq: 5, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } },
      ]);
    });

    it('in an item with the prefix of bookkeeping', async () => {
      await put(tables.vaultTable, { pk: { S: 'B#x' }, sk: { S: 'x' }, n: ODD_NUMBER });
      expect(await broken()).toMatchObject({
        '': [{ reason: 'entity_unexplained', entity: { id: 'B#x' } }],
      });
    });

    it('in the last row', async () => {
      await set(tables.auditTable, rowKey(lane0, 5), 'n', ODD_NUMBER);
      expect(await recorded()).toBe(6);
      expect(await broken()).toEqual({});
    });

    it('in a row that a writer finds in its way', async () => {
      await getSecret(vault, owner, secretId);
      const other = newInstance();
      await getSecret(other, owner, secretId);
      await set(tables.auditTable, rowKey(lane0, 7), 'n', ODD_NUMBER);
      await getSecret(vault, owner, secretId);
      expect(await broken()).toEqual({});
    });
  });

  it.each<[string, AttributeValue]>([
    ['shortened', { B: new Uint8Array(31) }],
    ['another', { B: new Uint8Array(32).fill(9) }],
    ['text', { S: 'f'.repeat(64) }],
    ['an odd number', ODD_NUMBER],
  ])('the hash of the last row made %s', async (_, value) => {
    await set(tables.auditTable, rowKey(lane0, 5), 'h', value);
    expect(await recorded()).toBe(6);
    const before = await vault.ledger.row(lane0, 5);
    const after = await vault.ledger.row(lane0, 6);
    expect(after && decodeRow(after.bytes).prev).toBe(before && rowHash(before.bytes));
    expect(await broken()).toEqual({ [ws]: [{ lane: 0, seq: 5, reason: 'hash_mismatch' }] });
  });

  describe('a copy of the first row under a key that is none of a row', () => {
    it.each(['R#1', 'R#05', 'R#00000000000000021', 'R#99999999999999999', 'R#000000000000000x', 'x'])(
      '%s: appending goes on, the walk ends, and it is told',
      async (sk) => {
        const first = await get(tables.auditTable, rowKey(lane0, 1));
        await put(tables.auditTable, { ...first, sk: { S: sk } });
        expect(await recorded()).toBe(6);
        expect(await recorded()).toBe(7);
        const found = await broken();
        expect(Object.keys(found)).toEqual([ws]);
        const seq = sk === 'R#00000000000000021' ? 3 : 8;
        expect(found[ws]?.[0]).toEqual({ lane: 0, seq, reason: 'wrong_place' });
        expect(new Set(found[ws]?.map(({ reason }) => reason))).toEqual(new Set(['wrong_place']));
      },
    );

    it.each(['R#00000000000000001', 'Q'])('%s, before the first row: hides and stops nothing', async (sk) => {
      const first = await get(tables.auditTable, rowKey(lane0, 1));
      await put(tables.auditTable, { ...first, sk: { S: sk } });
      expect(await recorded()).toBe(6);
      expect(await broken()).toEqual({});
    });

    it('R#00000000000000021, amid the rows: lists and exports hold all rows still', async () => {
      const first = await get(tables.auditTable, rowKey(lane0, 1));
      await put(tables.auditTable, { ...first, sk: { S: 'R#00000000000000021' } });
      const listed = await listEvents(newInstance(), owner, {}, { limit: 100 });
      expect(listed.items.map(({ stored }) => stored.seq)).toEqual([5, 4, 3, 2, 1]);
      const exported = await exportEvents(newInstance(), owner, {});
      expect(exported.items.map(({ stored }) => stored.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('R#9007199254740991, the highest number there is', async () => {
      const first = await get(tables.auditTable, rowKey(lane0, 1));
      await put(tables.auditTable, { ...first, sk: { S: 'R#9007199254740991' } });
      expect(await recorded()).toBe(6);
      expect(await recorded()).toBe(7);
      expect((await broken())[ws]).toContainEqual({
        lane: 0,
        seq: Number.MAX_SAFE_INTEGER,
        reason: 'wrong_place',
      });
      // The verdict itself is recorded where it belongs.
      expect(await vault.ledger.lastRow(lane0)).toMatchObject({ seq: 8 });
    });

    it('nine hundred of them after the last row', async () => {
      const first = await get(tables.auditTable, rowKey(lane0, 1));
      for (let index = 0; index < 900; index += 1)
        await put(tables.auditTable, { ...first, sk: { S: `R#0000000000000005${index}` } });
      expect(await recorded()).toBe(6);
      expect(Object.keys(await broken())).toEqual([ws]);
    });

    it("in the platform, whose strangers' lane was never opened", async () => {
      const first = await get(tables.auditTable, rowKey(lane0, 1));
      const platform = { workspaceId: PLATFORM_WORKSPACE, lane: 0 };
      await put(tables.auditTable, { ...first, pk: { S: rowKey(platform, 1).pk }, sk: { S: 'R#5' } });
      const instance = newInstance();
      let reads = 0;
      const rows: Vault['ledger']['rows'] = (...args) => {
        reads += 1;
        if (reads > 20) throw new Error('The opening of the lane is looked for again and again.');
        return instance.ledger.rows(...args);
      };
      const ledger = { ...instance.ledger, rows };
      const { clock, random } = instance;
      const knocked = { ...instance, ledger, trail: createAuditTrail({ ledger, clock, random }) };
      await expect(authenticate(knocked, undefined, CALLER)).rejects.toMatchObject({
        code: 'unauthenticated',
      });
    });
  });

  it("the hash of the row that opened the strangers' lane, before anything stood there", async () => {
    await set(tables.auditTable, rowKey(lane0, 2), 'h', { B: new Uint8Array(31) });
    const origin = { ...systemOrigin(ws), lane: 1 };
    await newInstance().trail.commit(origin, [
      { action: 'authentication.failed', entity: { type: 'workspace', id: ws }, result: 'denied' },
    ]);
    expect(await broken()).toEqual({ [ws]: [{ lane: 0, seq: 2, reason: 'hash_mismatch' }] });
  });

  describe('everything of a workspace deleted', () => {
    it('rows and entities, once the verifier has seen it', async () => {
      expect(await broken()).toEqual({});
      await empty(tables.vaultTable);
      await empty(tables.auditTable, ({ pk }) => pk?.S?.startsWith(`A#${ws}#`) === true);
      const missing = { [ws]: [{ lane: 0, seq: 1, reason: 'missing_row' }] };
      expect(await broken()).toEqual(missing);
      expect(await broken()).toEqual(missing);
    });

    it('its entities alone', async () => {
      expect(await broken()).toEqual({});
      await empty(tables.vaultTable);
      const found = await broken();
      expect(new Set(found[ws]?.map(({ reason }) => reason))).toEqual(new Set(['entity_missing']));
    });
  });

  it.each<[string, Raw]>([
    ['that stands in a list', { lk: { S: 'LIST' }, lsk: { S: '!' } }],
    [
      'that is like a tally and stands in a list',
      { tallied: { N: '1' }, ttl: { N: '1' }, lk: { S: 'LIST' } },
    ],
    ['with nothing in it', {}],
  ])('an item with the prefix of bookkeeping %s', async (_, attributes) => {
    await put(tables.vaultTable, { pk: { S: 'B#evil' }, sk: { S: '~' }, ...attributes });
    expect(await broken()).toMatchObject({
      '': [{ reason: 'entity_unexplained', entity: { id: 'B#evil' } }],
    });
  });

  it('the bookkeeping of the vault itself is none', async () => {
    await vault.bookkeeping.markKeyUsed(ws, owner.principal.id, vault.clock.now());
    await vault.bookkeeping.count({ minute: 1, workspaceId: ws, ip: '198.51.100.1', reason: 'unknown' });
    await vault.bookkeeping.markSwept(1);
    expect(await broken()).toEqual({});
  });

  it("a secret's value copied under another secret, with its name and version or without", async () => {
    const { id: mine } = await createSecret(vault, owner, {
      namespace: 'dev',
      name: 'mine',
      value: 'nothing',
    });
    const limited = callerWith({ workspaceId: ws, namespaces: ['dev'] });
    const target = entityKey(secretVersionKind, ws, `${mine}.1`);
    const own = await get(tables.vaultTable, target);
    const stolen = await get(tables.vaultTable, entityKey(secretVersionKind, ws, `${secretId}.1`));
    const { secretId: named = { S: '' }, ciphertext, nonce, tag, wrappedKey } = stolen;
    const sealed = { ...own, ...only({ ciphertext, nonce, tag, wrappedKey }) };
    for (const forged of [sealed, { ...sealed, secretId: named }, { ...stolen, ...rawKey(target) }]) {
      await put(tables.vaultTable, forged);
      const error = await revealSecret(newInstance(), limited, { id: mine }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toHaveProperty('code');
      const found = (await broken())[ws] ?? [];
      expect(found.map(({ entity }) => entity?.id)).toContain(`${mine}.1`);
    }
  });

  it.each<[string, Raw]>([
    ['with a name longer than any', { workspaceId: { S: 'w'.repeat(3_000) } }],
    ['with a name too long for a row', { workspaceId: { S: 'w'.repeat(100) } }],
    ['with a name that is no text', { workspaceId: { N: '7' }, kind: { BOOL: true }, id: { NULL: true } }],
  ])('an item of a workspace %s keeps no other from verification', async (_, attributes) => {
    await put(tables.vaultTable, { pk: { S: 'x' }, sk: { S: 'x' }, ...attributes });
    await set(tables.auditTable, rowKey(lane0, 4), 'eid', { B: new Uint8Array(16) });
    const results = await verified(newInstance());
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false]);
    expect(results.find(({ workspaceId }) => workspaceId === ws)?.breaks).toEqual([
      { lane: 0, seq: 4, reason: 'nonce_mismatch' },
    ]);
  });
});

function only(attributes: Record<string, AttributeValue | undefined>): Raw {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (value === undefined) throw new Error(`There is no ${name}.`);
      return [name, value];
    }),
  );
}
