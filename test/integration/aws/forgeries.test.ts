import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { entityItem, entityKey, rowItem, rowKey } from '../../../aws/items.ts';
import { buildRows } from '../../../core/audit/build-rows.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { GENESIS_HASH } from '../../../core/audit/row.ts';
import { apiKeyId, apiKeyKind, newToken, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { create } from '../../../core/kernel/entity.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { secretKind, secretVersionKind } from '../../../core/secrets/secret.ts';
import { connectDynamo } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, callerWith } from '../../support/memory-vault.ts';
import { verified } from '../../support/verified.ts';
import { Forger, ODD_NUMBER, type Raw, rawKey } from './forger.ts';

jest.setTimeout(60_000);

/**
 * What somebody can do who may write the tables, but not through the vault: items of any shape, under any key. The
 * vault must go on recording, and its verifier must come to its end and tell of it.
 */
describeWithDynamoDb('forged items', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  let forger: Forger;
  beforeAll(() => {
    client = connectDynamo(getEndpoint());
  });
  afterAll(() => client.destroy());
  beforeEach(async () => {
    forger = await Forger.enter(client);
  });

  it('an honest deployment has none', async () => {
    expect(await forger.recorded()).toBe(6);
    expect(await forger.broken()).toEqual({});
  });

  it("an owner's key, explained by a row in a lane that nobody walks", async () => {
    const token = newToken(forger.vault.random);
    const key = create(apiKeyKind, {
      workspaceId: forger.ws,
      id: apiKeyId(token),
      name: 'forged',
      role: 'owner',
      namespaces: ['*'],
      tokenHash: tokenHash(token),
      honeypot: false,
      createdAt: timestamp(forger.vault.clock.now()),
      createdBy: 'setup',
    });
    const { id } = key.entity;
    const { rows } = buildRows(
      { seq: 0, hash: GENESIS_HASH, time: 0 },
      { ...systemOrigin(forger.ws), lane: 7 },
      [{ action: 'api_key.created', entity: { type: 'api_key', id }, result: 'success', changes: [key] }],
      forger.vault.clock.now(),
      forger.vault.random,
    );
    for (const row of rows) await forger.put(forger.tables.auditTable, marshall(rowItem(row)));
    const item = entityItem(key.kind, key.entity, { lane: 7, seq: 1 });
    await forger.put(forger.tables.vaultTable, marshall(item, { removeUndefinedValues: true }));
    expect(await authenticate(forger.vault, headerCredentials(`Bearer ${token}`), CALLER)).toMatchObject({
      role: 'owner',
    });
    expect(await forger.broken()).toEqual({
      [forger.ws]: [{ lane: 7, seq: 1, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } }],
    });
  });

  describe('a number that no JavaScript number is', () => {
    it('in an item of the vault table, whosever', async () => {
      await forger.put(forger.tables.vaultTable, { pk: { S: 'odd' }, sk: { S: '~' }, n: ODD_NUMBER });
      await forger.set(
        forger.tables.vaultTable,
        entityKey(secretKind, forger.ws, forger.secretId),
        'n',
        ODD_NUMBER,
      );
      const found = await forger.broken();
      // Neither can be read, so each is told by its key alone.
      expect(found['']?.map(({ reason, entity }) => [reason, entity?.id]).toSorted()).toEqual([
        ['entity_unexplained', `E#${forger.ws}#secret#${forger.secretId}`],
        ['entity_unexplained', 'odd'],
      ]);
      expect(found[forger.ws]).toEqual([
        { lane: 0, seq: 5, reason: 'entity_altered', entity: { kind: 'secret', id: forger.secretId } },
      ]);
    });

    it('in an item with the prefix of bookkeeping', async () => {
      await forger.put(forger.tables.vaultTable, { pk: { S: 'B#x' }, sk: { S: 'x' }, n: ODD_NUMBER });
      expect(await forger.broken()).toMatchObject({
        '': [{ reason: 'entity_unexplained', entity: { id: 'B#x' } }],
      });
    });

    it('in the last row', async () => {
      await forger.set(forger.tables.auditTable, rowKey(forger.lane0, 5), 'n', ODD_NUMBER);
      expect(await forger.recorded()).toBe(6);
      expect(await forger.broken()).toEqual({});
    });

    it('in a row that a writer finds in its way', async () => {
      await getSecret(forger.vault, forger.owner, forger.secretId);
      const other = forger.newInstance();
      await getSecret(other, forger.owner, forger.secretId);
      await forger.set(forger.tables.auditTable, rowKey(forger.lane0, 7), 'n', ODD_NUMBER);
      await getSecret(forger.vault, forger.owner, forger.secretId);
      expect(await forger.broken()).toEqual({});
    });
  });

  describe('everything of a workspace deleted', () => {
    it('rows and entities, once the verifier has seen it', async () => {
      expect(await forger.broken()).toEqual({});
      await forger.empty(forger.tables.vaultTable);
      await forger.empty(forger.tables.auditTable, ({ pk }) => pk?.S?.startsWith(`A#${forger.ws}#`) === true);
      const missing = { [forger.ws]: [{ lane: 0, seq: 1, reason: 'missing_row' }] };
      expect(await forger.broken()).toEqual(missing);
      expect(await forger.broken()).toEqual(missing);
    });

    it('its entities alone', async () => {
      expect(await forger.broken()).toEqual({});
      await forger.empty(forger.tables.vaultTable);
      const found = await forger.broken();
      expect(new Set(found[forger.ws]?.map(({ reason }) => reason))).toEqual(new Set(['entity_missing']));
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
    await forger.put(forger.tables.vaultTable, { pk: { S: 'B#evil' }, sk: { S: '~' }, ...attributes });
    expect(await forger.broken()).toMatchObject({
      '': [{ reason: 'entity_unexplained', entity: { id: 'B#evil' } }],
    });
  });

  it('the bookkeeping of the vault itself is none', async () => {
    await forger.vault.bookkeeping.markKeyUsed(
      forger.ws,
      forger.owner.principal.id,
      forger.vault.clock.now(),
    );
    await forger.vault.bookkeeping.count({
      minute: 1,
      workspaceId: forger.ws,
      ip: '198.51.100.1',
      reason: 'unknown',
    });
    await forger.vault.bookkeeping.markSwept(1);
    expect(await forger.broken()).toEqual({});
  });

  it("a secret's value copied under another secret, with its name and version or without", async () => {
    const { id: mine } = await createSecret(forger.vault, forger.owner, {
      namespace: 'dev',
      name: 'mine',
      value: 'nothing',
    });
    const limited = callerWith({ workspaceId: forger.ws, namespaces: ['dev'] });
    const target = entityKey(secretVersionKind, forger.ws, `${mine}.1`);
    const own = await forger.get(forger.tables.vaultTable, target);
    const stolen = await forger.get(
      forger.tables.vaultTable,
      entityKey(secretVersionKind, forger.ws, `${forger.secretId}.1`),
    );
    const { secretId: named = { S: '' }, ciphertext, nonce, tag, wrappedKey } = stolen;
    const sealed = { ...own, ...only({ ciphertext, nonce, tag, wrappedKey }) };
    for (const forged of [sealed, { ...sealed, secretId: named }, { ...stolen, ...rawKey(target) }]) {
      await forger.put(forger.tables.vaultTable, forged);
      const error = await revealSecret(forger.newInstance(), limited, { id: mine }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toHaveProperty('code');
      const found = (await forger.broken())[forger.ws] ?? [];
      expect(found.map(({ entity }) => entity?.id)).toContain(`${mine}.1`);
    }
  });

  it.each<[string, Raw]>([
    ['with a name longer than any', { workspaceId: { S: 'w'.repeat(3_000) } }],
    ['with a name too long for a row', { workspaceId: { S: 'w'.repeat(100) } }],
    ['with a name that is no text', { workspaceId: { N: '7' }, kind: { BOOL: true }, id: { NULL: true } }],
  ])('an item of a workspace %s keeps no other from verification', async (_, attributes) => {
    await forger.put(forger.tables.vaultTable, { pk: { S: 'x' }, sk: { S: 'x' }, ...attributes });
    await forger.set(forger.tables.auditTable, rowKey(forger.lane0, 4), 'eid', { B: new Uint8Array(16) });
    const results = await verified(forger.newInstance());
    expect(results.map(({ ok }) => ok)).toEqual([true, false, false]);
    expect(results.find(({ workspaceId }) => workspaceId === forger.ws)?.breaks).toEqual([
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
