import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { rowKey } from '../../../aws/items.ts';
import { exportEvents } from '../../../core/audit/export-events.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { listEvents } from '../../../core/audit/list-events.ts';
import { decodeRow, rowHash } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { connectDynamo } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER } from '../../support/memory-vault.ts';
import { Forger, ODD_NUMBER } from './forger.ts';

jest.setTimeout(60_000);

/**
 * What somebody can do who may write the tables, but not through the vault: rows of any shape, under any key. The
 * vault must go on recording, and its verifier must come to its end and tell of it.
 */
describeWithDynamoDb('forged rows', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  let forger: Forger;
  beforeAll(() => {
    client = connectDynamo(getEndpoint());
  });
  afterAll(() => client.destroy());
  beforeEach(async () => {
    forger = await Forger.enter(client);
  });

  it.each<[string, AttributeValue]>([
    ['shortened', { B: new Uint8Array(31) }],
    ['another', { B: new Uint8Array(32).fill(9) }],
    ['text', { S: 'f'.repeat(64) }],
    ['an odd number', ODD_NUMBER],
  ])('the hash of the last row made %s', async (_, value) => {
    await forger.set(forger.tables.auditTable, rowKey(forger.lane0, 5), 'h', value);
    expect(await forger.recorded()).toBe(6);
    const before = await forger.vault.ledger.row(forger.lane0, 5);
    const after = await forger.vault.ledger.row(forger.lane0, 6);
    expect(after && decodeRow(after.bytes).prev).toBe(before && rowHash(before.bytes));
    expect(await forger.broken()).toEqual({ [forger.ws]: [{ lane: 0, seq: 5, reason: 'hash_mismatch' }] });
  });

  describe('a copy of the first row under a key that is none of a row', () => {
    it.each(['R#1', 'R#05', 'R#00000000000000021', 'R#99999999999999999', 'R#000000000000000x', 'x'])(
      '%s: appending goes on, the walk ends, and it is told',
      async (sk) => {
        const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
        await forger.put(forger.tables.auditTable, { ...first, sk: { S: sk } });
        expect(await forger.recorded()).toBe(6);
        expect(await forger.recorded()).toBe(7);
        const found = await forger.broken();
        expect(Object.keys(found)).toEqual([forger.ws]);
        const seq = sk === 'R#00000000000000021' ? 3 : 8;
        expect(found[forger.ws]?.[0]).toEqual({ lane: 0, seq, reason: 'wrong_place' });
        expect(new Set(found[forger.ws]?.map(({ reason }) => reason))).toEqual(new Set(['wrong_place']));
      },
    );

    it.each(['R#00000000000000001', 'Q'])('%s, before the first row: hides and stops nothing', async (sk) => {
      const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
      await forger.put(forger.tables.auditTable, { ...first, sk: { S: sk } });
      expect(await forger.recorded()).toBe(6);
      expect(await forger.broken()).toEqual({});
    });

    it('R#00000000000000021, amid the rows: lists and exports hold all rows still', async () => {
      const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
      await forger.put(forger.tables.auditTable, { ...first, sk: { S: 'R#00000000000000021' } });
      const listed = await listEvents(forger.newInstance(), forger.owner, {}, { limit: 100 });
      expect(listed.items.map(({ stored }) => stored.seq)).toEqual([5, 4, 3, 2, 1]);
      const exported = await exportEvents(forger.newInstance(), forger.owner, {});
      expect(exported.items.map(({ stored }) => stored.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('R#9007199254740991, the highest number there is', async () => {
      const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
      await forger.put(forger.tables.auditTable, { ...first, sk: { S: 'R#9007199254740991' } });
      expect(await forger.recorded()).toBe(6);
      expect(await forger.recorded()).toBe(7);
      expect((await forger.broken())[forger.ws]).toContainEqual({
        lane: 0,
        seq: Number.MAX_SAFE_INTEGER,
        reason: 'wrong_place',
      });
      // The verdict itself is recorded where it belongs.
      expect(await forger.vault.ledger.lastRow(forger.lane0)).toMatchObject({ seq: 8 });
    });

    it('nine hundred of them after the last row', async () => {
      const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
      for (let index = 0; index < 900; index += 1)
        await forger.put(forger.tables.auditTable, { ...first, sk: { S: `R#0000000000000005${index}` } });
      expect(await forger.recorded()).toBe(6);
      expect(Object.keys(await forger.broken())).toEqual([forger.ws]);
    });

    it("in the platform, whose strangers' lane was never opened", async () => {
      const first = await forger.get(forger.tables.auditTable, rowKey(forger.lane0, 1));
      const platform = { workspaceId: PLATFORM_WORKSPACE, lane: 0 };
      await forger.put(forger.tables.auditTable, {
        ...first,
        pk: { S: rowKey(platform, 1).pk },
        sk: { S: 'R#5' },
      });
      const instance = forger.newInstance();
      let reads = 0;
      const rows: Vault['ledger']['rows'] = (...args) => {
        reads += 1;
        if (reads > 20) throw new Error('The opening of the lane is looked for again and again.');
        return instance.ledger.rows(...args);
      };
      const ledger = { ...instance.ledger, rows };
      const { clock, random } = instance;
      const knocked = { ...instance, ledger, trail: createAuditTrail({ ledger, clock, random }) };
      await expect(authenticate(knocked, headerCredentials(), CALLER)).rejects.toMatchObject({
        code: 'unauthenticated',
      });
    });
  });

  it("the hash of the row that opened the strangers' lane, before anything stood there", async () => {
    await forger.set(forger.tables.auditTable, rowKey(forger.lane0, 2), 'h', { B: new Uint8Array(31) });
    const origin = { ...systemOrigin(forger.ws), lane: 1 };
    await forger
      .newInstance()
      .trail.commit(origin, [
        { action: 'authentication.failed', entity: { type: 'workspace', id: forger.ws }, result: 'denied' },
      ]);
    expect(await forger.broken()).toEqual({ [forger.ws]: [{ lane: 0, seq: 2, reason: 'hash_mismatch' }] });
  });
});
