import { BatchWriteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createBookkeeping } from '../../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import { entityItem, entityKey, type Item, type ItemKey, rowKey } from '../../../aws/items.ts';
import type { InspectedEntity } from '../../../core/audit/entity-inspector.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { idempotencyKind } from '../../../core/idempotency/once.ts';
import { apiKeyKind } from '../../../core/identity/api-key.ts';
import { anyKind, create, type Entity, type Kind } from '../../../core/kernel/entity.ts';
import { allKinds } from '../../../core/kinds.ts';
import { secretKind, secretList, secretNameKind, secretVersionKind } from '../../../core/secrets/secret.ts';
import { connectDynamo, createTables, TABLES } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { sampleApiKey, sampleName, sampleSecret, sampleVersion } from '../../support/samples.ts';
import { scanned } from '../../support/scanned.ts';
import { LaneWriter, newWorkspace } from './ports.ts';

jest.setTimeout(60_000);

/** What is true of DynamoDB alone: how things lie in the tables, and what becomes of items that others wrote there. */
describeWithDynamoDb('the DynamoDB adapters', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  let writer: LaneWriter;
  let ws: string;
  const ports = () => ({
    store: createDynamoStore(client, TABLES.vaultTable),
    ledger: createDynamoLedger(client, TABLES),
    inspector: createDynamoInspector(client, TABLES.vaultTable, allKinds),
    kinds: allKinds,
  });
  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    await createTables(client);
  });
  afterAll(() => client.destroy());
  beforeEach(() => {
    ws = newWorkspace();
    writer = new LaneWriter(ports().ledger, ws);
  });

  async function item(key: ItemKey, table = TABLES.vaultTable): Promise<Item> {
    const { Item: found } = await client.send(
      new GetCommand({ TableName: table, Key: key, ConsistentRead: true }),
    );
    if (found === undefined) throw new Error(`There is no item ${key.pk}.`);
    return found;
  }
  const put = (raw: Item) => client.send(new PutCommand({ TableName: TABLES.vaultTable, Item: raw }));
  /** Writes an entity behind the vault's back: with whatever keys, and attributes besides. */
  const forge = <E extends Entity>(kind: Kind<E>, entity: Entity, attributes: Item = {}) =>
    put({ ...entityItem(anyKind(kind), entity, { lane: 0, seq: 1 }), ...attributes });
  const inspect = async (kind: string, id: string): Promise<InspectedEntity | undefined> =>
    (await ports().inspector.inspect(ws, [{ kind, id }]))[0];

  describe('spell the keys', () => {
    it('of a secret, and of its place in the list', async () => {
      await writer.append(sampleSecret(ws, 'sec_1', { namespace: 'prod', name: 'db' }));
      expect(await item({ pk: `E#${ws}#secret#sec_1`, sk: '~' })).toMatchObject({
        kind: 'secret',
        lk: `${ws}#secrets`,
        lsk: 'prod/db',
        rowLane: 0,
        rowSeq: 1,
      });
    });

    it('of children, in the partition of their parent and before it', async () => {
      await writer.append(sampleVersion(ws, 'sec_1', 12), sampleName(ws, 'prod', 'db', 'sec_1'));
      expect(await item({ pk: `E#${ws}#secret#sec_1`, sk: 'secretVersion#0000000012' })).toMatchObject({
        version: 12,
      });
      expect(await item({ pk: `E#${ws}#namespace#prod`, sk: 'secretName#db' })).toMatchObject({
        secretId: 'sec_1',
      });
    });

    it('of what is found before its workspace is known', async () => {
      await writer.append(sampleApiKey(ws, `key_${ws}`));
      expect(await item({ pk: `E#*#apiKey#key_${ws}`, sk: '~' })).toMatchObject({ workspaceId: ws });
    });

    it('of a row, with its bytes, hash and nonce as binary', async () => {
      const [row] = writer.rows();
      if (row === undefined) throw new Error('There is one row.');
      await writer.send([row]);
      const raw = await item({ pk: `A#${ws}#0`, sk: 'R#0000000000000001' }, TABLES.auditTable);
      const hex = Object.entries(raw).map(([key, value]) => [
        key,
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      ]);
      expect(Object.fromEntries(hex)).toEqual({
        pk: `A#${ws}#0`,
        sk: 'R#0000000000000001',
        b: Buffer.from(row.bytes).toString('hex'),
        h: row.hash,
        eid: row.nonce,
      });
    });

    it('and the whole second at which a record may be forgotten', async () => {
      const record = create(idempotencyKind, {
        workspaceId: ws,
        id: 'r',
        inputHmac: '',
        hmacKeyId: '1',
        resourceId: 'x',
        expiresAt: 1_001,
      });
      await writer.append(record);
      expect(await item(entityKey(idempotencyKind, ws, 'r'))).toMatchObject({ ttl: 2, expiresAt: 1_001 });
    });

    it('and the life of a tally', async () => {
      const tally = { minute: 30_000_000, workspaceId: ws, ip: '198.51.100.1', reason: 'unknown' };
      await createBookkeeping(client, TABLES.vaultTable).count(tally);
      expect(await item({ pk: 'B#tally#30000000', sk: `${ws}#198.51.100.1#unknown` })).toMatchObject({
        tallied: 1,
        ttl: (30_000_000 + 120) * 60,
      });
    });
  });

  it('only kinds with a global key are found without a workspace', async () => {
    await expect(ports().store.find(secretKind, 'sec_1')).rejects.toThrow(TypeError);
  });

  it('read more and bigger items than one batch holds', async () => {
    const versions = Array.from({ length: 120 }, (_, index) =>
      sampleVersion(ws, 'big', index + 1, new Uint8Array(64 * 1024).fill(index)),
    );
    for (let start = 0; start < versions.length; start += 25) {
      const requests = versions
        .slice(start, start + 25)
        .map(({ kind, entity }) => ({ PutRequest: { Item: entityItem(kind, entity, { lane: 0, seq: 1 }) } }));
      await client.send(new BatchWriteCommand({ RequestItems: { [TABLES.vaultTable]: requests } }));
    }
    const names = versions.map(({ entity }) => ({ kind: 'secretVersion', id: entity.id }));
    const found = await ports().inspector.inspect(ws, names);
    expect(found.map((one) => one?.id)).toEqual(names.map(({ id }) => id));
    expect(found.every((one) => one?.exact)).toBe(true);
    const many = await ports().store.getMany(
      secretVersionKind,
      ws,
      names.slice(0, 100).map(({ id }) => id),
    );
    expect(many).toHaveLength(100);
  });

  describe('refuse an item', () => {
    const secret = () => sampleSecret(ws, 'sec_1').entity;
    const internal = { code: 'internal' };

    it.each<[string, Item]>([
      ['with a field too many', { role: 'owner' }],
      ['with a field of another type', { isCUI: 'yes' }],
      ['with a revision below 1', { revision: 0 }],
      ['of another kind', { kind: 'secretName' }],
      ['that says to be another entity', { id: 'sec_2' }],
      ["that says to be another workspace's", { workspaceId: 'ws_other' }],
    ])('%s', async (_, attributes) => {
      await forge(secretKind, secret(), attributes);
      const { store } = ports();
      await expect(store.get(secretKind, ws, 'sec_1')).rejects.toMatchObject(internal);
      await expect(store.getMany(secretKind, ws, ['sec_1'])).rejects.toMatchObject(internal);
      await expect(store.list(secretKind, { list: secretList(ws), limit: 5 })).rejects.toMatchObject(
        internal,
      );
      expect((await inspect('secret', 'sec_1'))?.exact).toBe(false);
    });

    it('that was copied to the key of another', async () => {
      const raw = entityItem(anyKind(secretKind), secret(), { lane: 0, seq: 1 });
      await put({ ...raw, ...entityKey(secretKind, ws, 'sec_copy') });
      await expect(ports().store.get(secretKind, ws, 'sec_copy')).rejects.toMatchObject(internal);
    });

    it('that is a key copied to the id of another token', async () => {
      const raw = entityItem(anyKind(apiKeyKind), sampleApiKey(ws, 'key_mine').entity, { lane: 0, seq: 1 });
      await put({ ...raw, ...entityKey(apiKeyKind, ws, `key_forged${ws}`) });
      await expect(ports().store.find(apiKeyKind, `key_forged${ws}`)).rejects.toMatchObject(internal);
    });

    it('that is a version with text where bytes belong', async () => {
      await forge(secretKind, secret());
      await forge(secretVersionKind, sampleVersion(ws, 'sec_1', 1).entity, { ciphertext: 'text' });
      await expect(
        ports().store.getWithNewest(secretKind, secretVersionKind, ws, 'sec_1'),
      ).rejects.toMatchObject(internal);
    });
  });

  describe('the inspector sees', () => {
    it.each<[string, Item]>([
      ['an entity taken out of its list', { lk: 'nowhere' }],
      ['an entity moved in its list', { lsk: 'zzz' }],
      ['a time to live that was slipped in', { ttl: 1 }],
      ['an attribute of a type that the vault never stores', { role: null }],
      ['a set', { tags: new Set(['a']) }],
      ['no row', { rowSeq: 'none' }],
    ])('%s', async (_, attributes) => {
      await forge(secretKind, sampleSecret(ws, 'sec_1').entity, attributes);
      expect(await inspect('secret', 'sec_1')).toMatchObject({ id: 'sec_1', exact: false });
    });

    it('forged items of any shape in a scan, and no bookkeeping', async () => {
      const odd = `odd#${ws}`;
      await put({ pk: odd, sk: '1' });
      await put({ pk: odd, sk: '2', kind: 'session', workspaceId: ws, id: 's', rowLane: 1, rowSeq: 5 });
      await createBookkeeping(client, TABLES.vaultTable).markKeyUsed(ws, 'key_a', 0);
      const found = await scanned(ports().inspector);
      expect(found.filter(({ id }) => id === odd)).toEqual([
        { workspaceId: '', kind: '', id: odd, entity: undefined, row: { lane: 0, seq: 0 }, exact: false },
      ]);
      expect(found.filter(({ workspaceId }) => workspaceId === ws)).toEqual([
        {
          workspaceId: ws,
          kind: 'session',
          id: 's',
          entity: undefined,
          row: { lane: 1, seq: 5 },
          exact: false,
        },
      ]);
      expect(found.filter(({ id }) => id.startsWith('B#'))).toEqual([]);
    });
  });

  describe('the verifier finds', () => {
    const verify = async () => (await verifyWorkspace(ports(), ws)).breaks;
    const edit = (table: string, key: ItemKey, name: string, value: unknown) =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: key,
          UpdateExpression: 'SET #name = :value',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':value': value },
        }),
      );
    beforeEach(async () => {
      await writer.append(sampleSecret(ws, 'sec_1'));
      await writer.append(sampleName(ws, 'prod', 'db', 'sec_1'), sampleApiKey(ws, `key_${ws}`));
      await writer.append();
    });

    it('nothing in an honest workspace', async () => {
      expect(await verifyWorkspace(ports(), ws)).toMatchObject({ ok: true, rows: 3, entities: 3 });
    });

    it('a row whose bytes were replaced', async () => {
      await edit(TABLES.auditTable, rowKey(writer.lane, 2), 'b', Buffer.from('{}'));
      expect(await verify()).toMatchObject([{ lane: 0, seq: 2, reason: 'hash_mismatch' }]);
    });

    it.each(['b', 'h', 'eid'])('a row whose attribute %s is gone or is text', async (name) => {
      await edit(TABLES.auditTable, rowKey(writer.lane, 3), name, 'text');
      expect(await verify()).toEqual([
        { lane: 0, seq: 3, reason: name === 'eid' ? 'nonce_mismatch' : 'hash_mismatch' },
      ]);
    });

    it("a viewer's key made an owner's", async () => {
      await edit(TABLES.vaultTable, entityKey(apiKeyKind, ws, `key_${ws}`), 'role', 'owner');
      expect(await verify()).toEqual([
        { lane: 0, seq: 2, reason: 'entity_altered', entity: { kind: 'apiKey', id: `key_${ws}` } },
      ]);
    });

    it('a secret hidden from its list', async () => {
      await edit(TABLES.vaultTable, entityKey(secretKind, ws, 'sec_1'), 'lk', 'nowhere');
      expect(await verify()).toMatchObject([{ seq: 1, reason: 'entity_altered' }]);
    });

    it('a name that leads to another secret', async () => {
      await edit(TABLES.vaultTable, entityKey(secretNameKind, ws, 'prod/db'), 'secretId', 'sec_2');
      expect(await verify()).toMatchObject([{ seq: 2, reason: 'entity_altered', entity: { id: 'prod/db' } }]);
    });
  });
});
