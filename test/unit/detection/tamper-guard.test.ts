import { marshall } from '@aws-sdk/util-dynamodb';
import { entityItem, type Item, rowItem } from '../../../aws/items.ts';
import { readTableChange, type StreamRecord } from '../../../aws/stream-records.ts';
import { PRINCIPAL_LANE } from '../../../core/audit/event.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { guardTables } from '../../../core/detection/guard-tables.ts';
import { eventOfRow } from '../../../core/detection/tripwires.ts';
import { anyKind, create, type Entity, type Kind, remove, update } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { allKinds } from '../../../core/kinds.ts';
import { retentionFloorKind } from '../../../core/retention/floor.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, type Note, noted, noteKind, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

const TABLES = { vaultTable: 'vault', auditTable: 'audit' };
const KINDS = new Map([...allKinds, ['note', anyKind(noteKind)]]);
const expiringKind: Kind<Note> = { ...noteKind, expiry: () => 5_000 };

/** A vault at work, and the streams of its tables as Lambda would hand them to the guard. */
class Guarded {
  readonly tables = new MemoryTables();
  readonly clock = new FakeClock();
  readonly trail = createAuditTrail({
    ledger: this.tables.ledger,
    clock: this.clock,
    random: new SeededRandom(1),
  });
  readonly alerts: Alert[] = [];
  kinds: ReadonlyMap<string, Kind<Entity>> = KINDS;

  async show(...records: StreamRecord[]): Promise<string[]> {
    const changes = records.flatMap((record) => readTableChange(TABLES, this.kinds, record) ?? []);
    const alerts = { raise: async (alert: Alert) => void this.alerts.push(alert) };
    await guardTables({ ...this.tables, kinds: this.kinds, alerts }, changes);
    return this.alerts
      .splice(0)
      .map(({ tier, kind, workspaceId, subject }) => [tier, kind, workspaceId, subject].join(' '));
  }

  item(entity: Entity): Item {
    const stored = [...this.tables.entities.values()].find(({ entity: { id } }) => id === entity.id);
    return entityItem(anyKind(noteKind), entity, stored?.row ?? { lane: 0, seq: 1 });
  }

  /** What the stream says of an entity that went from one item to another. */
  written(before: Item | undefined, after: Item | undefined, expired = false): StreamRecord {
    return {
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/vault/stream/1',
      ...(expired
        ? { userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } }
        : { userIdentity: null }),
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.clock.now() / 1000),
        ...(before === undefined ? {} : { OldImage: streamImage(before) }),
        ...(after === undefined ? {} : { NewImage: streamImage(after) }),
      },
    };
  }

  rowTouched(eventName: 'MODIFY' | 'REMOVE' | 'INSERT', seq: number): StreamRecord {
    const row = this.tables.lane({ workspaceId: WORKSPACE, lane: PRINCIPAL_LANE })[seq - 1];
    if (row === undefined) throw new Error('There is no such row.');
    const image = streamImage(rowItem(row));
    return {
      eventName,
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/audit/stream/1',
      dynamodb: eventName === 'INSERT' ? { NewImage: image } : { OldImage: image, NewImage: image },
    };
  }
}

/** An item in the JSON of DynamoDB, binary values as base64. */
function streamImage(item: Item): NonNullable<NonNullable<StreamRecord['dynamodb']>['NewImage']> {
  const raw = marshall(item);
  return JSON.parse(
    JSON.stringify(raw, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    ),
  );
}

describe('the tamper guard', () => {
  describe('on the vault table', () => {
    it('keeps still while the vault itself creates, changes and removes', async () => {
      const guarded = new Guarded();
      const first = createNote('a', 'one');
      await guarded.trail.commit(ORIGIN, [noted('a', first)]);
      const created = guarded.item(first.entity);
      expect(await guarded.show(guarded.written(undefined, created))).toEqual([]);

      const second = update(noteKind, first.entity, { text: 'two' });
      await guarded.trail.commit(ORIGIN, [noted('a', second)]);
      const updated = guarded.item(second.entity);
      expect(await guarded.show(guarded.written(created, updated))).toEqual([]);

      await guarded.trail.commit(ORIGIN, [noted('a', remove(noteKind, second.entity))]);
      expect(await guarded.show(guarded.written(updated, undefined))).toEqual([]);
    });

    it('raises a critical alert for an entity whose content no row explains', async () => {
      const guarded = new Guarded();
      const first = createNote('a', 'one');
      await guarded.trail.commit(ORIGIN, [noted('a', first)]);
      const created = guarded.item(first.entity);
      const forged = { ...created, text: 'forged', revision: 2 };
      expect(await guarded.show(guarded.written(created, forged))).toEqual([
        'critical entity_unexplained ws_1 note/a',
      ]);
    });

    it('raises one for an entity slipped in with another workspace’s name, in the platform’s trail', async () => {
      const guarded = new Guarded();
      const planted = entityItem(
        anyKind(noteKind),
        { ...createNote('b').entity, workspaceId: 'ws_nobody' },
        { lane: 0, seq: 1 },
      );
      expect(await guarded.show(guarded.written(undefined, planted))).toEqual([
        `critical entity_unexplained ${PLATFORM_WORKSPACE} note/b`,
      ]);
    });

    it('raises one for an earlier, genuine state that is put back', async () => {
      const guarded = new Guarded();
      const first = createNote('a', 'one');
      await guarded.trail.commit(ORIGIN, [noted('a', first)]);
      const created = guarded.item(first.entity);
      const second = update(noteKind, first.entity, { text: 'two' });
      await guarded.trail.commit(ORIGIN, [noted('a', second)]);
      const updated = guarded.item(second.entity);
      expect(await guarded.show(guarded.written(updated, created))).toEqual([
        'critical entity_unexplained ws_1 note/a',
      ]);
    });

    it('raises one for a removed entity that is brought back in its first state an hour later', async () => {
      const guarded = new Guarded();
      const first = createNote('a', 'one');
      await guarded.trail.commit(ORIGIN, [noted('a', first)]);
      const created = guarded.item(first.entity);
      await guarded.trail.commit(ORIGIN, [noted('a', remove(noteKind, first.entity))]);
      guarded.clock.advance(3_600_000);
      expect(await guarded.show(guarded.written(undefined, created))).toEqual([
        'critical entity_unexplained ws_1 note/a',
      ]);
    });

    it('raises one for a removal without a row, also of an entity that was removed once before', async () => {
      const guarded = new Guarded();
      const first = createNote('a', 'one');
      await guarded.trail.commit(ORIGIN, [noted('a', first)]);
      const created = guarded.item(first.entity);
      expect(await guarded.show(guarded.written(created, undefined))).toEqual([
        'critical entity_unexplained ws_1 note/a',
      ]);

      await guarded.trail.commit(ORIGIN, [noted('a', remove(noteKind, first.entity))]);
      guarded.clock.advance(3_600_000);
      await guarded.trail.commit(ORIGIN, [noted('a', createNote('a', 'again'))]);
      expect(await guarded.show(guarded.written(created, undefined))).toEqual([
        'critical entity_unexplained ws_1 note/a',
      ]);
    });

    it('lets the time to live remove what has expired, and nothing else', async () => {
      const guarded = new Guarded();
      guarded.kinds = new Map([...KINDS, ['note', anyKind(expiringKind)]]);
      const item = entityItem(anyKind(expiringKind), createNote('a').entity, { lane: 0, seq: 1 });
      expect(await guarded.show(guarded.written(item, undefined, true))).toEqual([]);
      guarded.kinds = KINDS;
      const lasting = guarded.item(createNote('a').entity);
      expect(await guarded.show(guarded.written(lasting, undefined, true))).toHaveLength(1);
    });

    it('does not look at bookkeeping, but at what only pretends to be', async () => {
      const guarded = new Guarded();
      const mark = { pk: 'B#seen#ses_1', sk: '~', seenAt: 1, ttl: 2 };
      expect(await guarded.show(guarded.written(undefined, mark))).toEqual([]);
      const planted = { ...mark, value: 'hidden' };
      expect(await guarded.show(guarded.written(undefined, planted))).toHaveLength(1);
    });
  });

  describe('on the audit table', () => {
    it('keeps still when rows are added, and hands them on as they are', async () => {
      const guarded = new Guarded();
      await guarded.trail.commit(ORIGIN, [noted('a')]);
      const added = guarded.rowTouched('INSERT', 1);
      expect(await guarded.show(added)).toEqual([]);
      const [row] = guarded.tables.lane({ workspaceId: WORKSPACE, lane: PRINCIPAL_LANE });
      const change = readTableChange(TABLES, KINDS, added);
      expect(change).toEqual({ table: 'audit', op: 'added', row: { ...row, bytes: expect.anything() } });
      expect(change?.table === 'audit' && change.op === 'added' && eventOfRow(change.row)).toMatchObject({
        workspaceId: WORKSPACE,
        id: '0-1',
      });
    });

    it('raises one critical alert for all rows of a workspace that were changed in place', async () => {
      const guarded = new Guarded();
      await guarded.trail.commit(ORIGIN, [noted('a'), noted('b'), noted('c')]);
      const records = [1, 2, 3].map((seq) => guarded.rowTouched('MODIFY', seq));
      expect(await guarded.show(...records)).toEqual(['critical row_modified ws_1 row 0-1 and 2 more']);
    });

    it('raises one for a removed row, unless retention had given it up', async () => {
      const guarded = new Guarded();
      await guarded.trail.commit(ORIGIN, [noted('a'), noted('b'), noted('c')]);
      expect(await guarded.show(guarded.rowTouched('REMOVE', 2))).toEqual([
        'critical row_removed ws_1 row 0-2',
      ]);

      const floor = create(retentionFloorKind, {
        workspaceId: WORKSPACE,
        id: WORKSPACE,
        lanes: { '0': { throughSeq: 2, hash: 'a'.repeat(64), ts: '2026-01-01T00:00:00.000Z' } },
        day: '2026-01-01',
        manifest: 'b'.repeat(64),
      });
      await guarded.trail.commit(systemOrigin(WORKSPACE), [noted('floor', floor)]);
      expect(await guarded.show(guarded.rowTouched('REMOVE', 2))).toEqual([]);
      expect(await guarded.show(guarded.rowTouched('REMOVE', 3))).toEqual([
        'critical row_removed ws_1 row 0-3',
      ]);
    });

    it('asks to be shown the same again when the tables cannot be read', async () => {
      const guarded = new Guarded();
      await guarded.trail.commit(ORIGIN, [noted('a')]);
      const removed = guarded.rowTouched('REMOVE', 1);
      guarded.tables.faults = async () => 'before';
      await expect(guarded.show(removed)).rejects.toThrow(VaultError);
    });
  });

  it('refuses the stream of a table that it does not know', () => {
    const record: StreamRecord = {
      eventName: 'REMOVE',
      eventSourceARN: 'arn:aws:dynamodb:r:1:table/x/stream/1',
    };
    expect(() => readTableChange(TABLES, KINDS, record)).toThrow('The stream of x');
  });
});
