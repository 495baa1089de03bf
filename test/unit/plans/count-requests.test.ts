import { laneSetKind } from '../../../core/audit/lane-set.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { create } from '../../../core/kernel/entity.ts';
import { countRequests } from '../../../core/plans/count-requests.ts';
import { monthOf, monthsUntil, startOf } from '../../../core/plans/month.ts';
import { retentionFloorKind } from '../../../core/retention/floor.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { putRows } from './numbered-rows.ts';

const WS = 'ws_1';
const NOVEMBER = ['2026-11'];
const AUTUMN = ['2026-11', '2026-10', '2026-09'];

let vault: MemoryVault;
beforeEach(() => {
  vault = memoryVault();
});

const counts = async (months: readonly string[] = NOVEMBER): Promise<Record<string, number>> =>
  Object.fromEntries((await countRequests(vault, WS, months)).map(({ month, count }) => [month, count]));
const forget = () => vault.tables.rows.clear();

describe('months', () => {
  it('begin with their first millisecond, UTC', () => {
    expect(monthOf(startOf('2026-11'))).toBe('2026-11');
    expect(monthOf(startOf('2026-11') - 1)).toBe('2026-10');
  });

  it('go back over the turn of the year, and not before a workspace', () => {
    const now = Date.parse('2027-02-28T23:59:59.999Z');
    expect(monthsUntil(now, 4)).toEqual(['2027-02', '2027-01', '2026-12', '2026-11']);
    expect(monthsUntil(now, 12, Date.parse('2026-12-31T23:00:00Z'))).toEqual([
      '2027-02',
      '2027-01',
      '2026-12',
    ]);
    expect(monthsUntil(now, 12, now)).toEqual(['2027-02']);
  });
});

describe('the requests of a month', () => {
  it('are none of a workspace without rows', async () => {
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 0, '2026-10': 0, '2026-09': 0 });
  });

  it('are those from its first millisecond on, to the last before the next month', async () => {
    await putRows(vault, WS, [
      '2026-09-30T23:59:59.999Z',
      '2026-10-01T00:00:00.000Z',
      '2026-10-31T23:59:59.999Z',
      '2026-11-01T00:00:00.000Z',
    ]);
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 1, '2026-10': 2, '2026-09': 1 });
  });

  it('are all rows of a workspace whose first one came in mid-month', async () => {
    await putRows(vault, WS, ['2026-11-12T00:00:00.000Z', '2026-11-13T00:00:00.000Z']);
    expect(await counts()).toEqual({ '2026-11': 2 });
  });

  it('are none before the first row of the month, and then begin at one', async () => {
    await putRows(vault, WS, ['2026-10-30T00:00:00.000Z']);
    expect(await counts()).toEqual({ '2026-11': 0 });
    await putRows(vault, WS, ['2026-11-30T00:00:00.000Z'], { first: 2 });
    expect(await counts()).toEqual({ '2026-11': 1 });
  });

  it.each([Number.NaN, -1_000_000, 0.5, 3])(
    'are found again where the note says %d, which cannot be',
    async (rows) => {
      await putRows(vault, WS, ['2026-10-31T23:59:59.999Z', '2026-11-01T00:00:00.000Z']);
      await vault.bookkeeping.noteRowsBefore(WS, '2026-11', rows);
      expect(await counts()).toEqual({ '2026-11': 1 });
      expect(await vault.bookkeeping.rowsBefore(WS)).toEqual(new Map([['2026-11', 1]]));
    },
  );

  it('are in all lanes but that of strangers; a lane may open in mid-month', async () => {
    await putRows(vault, WS, ['2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z']);
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 1, '2026-10': 1, '2026-09': 0 });
    const set = create(laneSetKind, { workspaceId: WS, id: WS, count: 2 });
    await vault.trail.commit(systemOrigin(WS), [
      { action: 'lane.opened', entity: { type: 'workspace', id: WS }, result: 'success', changes: [set] },
    ]);
    await putRows(vault, WS, ['2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z'], { lane: 2 });
    await putRows(vault, WS, ['2026-11-02T00:00:00.000Z'], { lane: 1 });
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 4, '2026-10': 1, '2026-09': 0 });
  });
});

describe('the beginning of a month', () => {
  const times = Array.from({ length: 40 }, (_, day) => new Date(Date.UTC(2026, 9, 1 + day)).toISOString());

  it('is searched once, and noted for all instances', async () => {
    await putRows(vault, WS, times);
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 9, '2026-10': 31, '2026-09': 0 });
    expect(await vault.bookkeeping.rowsBefore(WS)).toEqual(
      new Map([
        ['2026-09', 0],
        ['2026-10', 0],
        ['2026-11', 31],
      ]),
    );
    const calls: string[] = [];
    vault.tables.faults = async ({ name }) => {
      calls.push(name);
      return 'none';
    };
    expect(await counts(AUTUMN)).toEqual({ '2026-11': 9, '2026-10': 31, '2026-09': 0 });
    expect(calls.toSorted()).toEqual(['bookkeeping.rowsBefore', 'ledger.extraLanes', 'ledger.lastRow']);
  });

  it('that could not be noted is searched again', async () => {
    await putRows(vault, WS, times);
    vault.tables.faults = async ({ name }) => (name === 'bookkeeping.noteRowsBefore' ? 'before' : 'none');
    expect(await counts()).toEqual({ '2026-11': 9 });
    expect(await vault.bookkeeping.rowsBefore(WS)).toEqual(new Map());
    expect(await counts()).toEqual({ '2026-11': 9 });
  });

  describe('where retention has removed rows', () => {
    /** Rows 1 to 20 are gone: the last of them is of 20 October. */
    beforeEach(async () => {
      const floor = {
        lanes: {
          0: { throughSeq: 20, hash: 'a'.repeat(64), ts: times[19] ?? '' },
          2: { throughSeq: 0, hash: 'b'.repeat(64), ts: '' },
        },
        day: '2026-10-20',
        manifest: 'c'.repeat(64),
      };
      const change = create(retentionFloorKind, { workspaceId: WS, id: WS, ...floor });
      await vault.trail.commit(systemOrigin(WS), [
        {
          action: 'audit.floor_raised',
          entity: { type: 'workspace', id: WS },
          result: 'success',
          changes: [change],
        },
      ]);
      forget();
    });

    it('is found above them, also if no row is left of the month before', async () => {
      await putRows(vault, WS, ['2026-11-03T00:00:00.000Z', '2026-11-04T00:00:00.000Z'], { first: 21 });
      expect(await counts()).toEqual({ '2026-11': 2 });
    });

    it('is not guessed at: counting ends there', async () => {
      await putRows(vault, WS, times.slice(20), { first: 21 });
      expect(await counts(AUTUMN)).toEqual({ '2026-11': 9 });
      expect(await vault.bookkeeping.rowsBefore(WS)).toEqual(new Map([['2026-11', 31]]));
    });

    it('is known from its note', async () => {
      await putRows(vault, WS, times.slice(20), { first: 21 });
      await vault.bookkeeping.noteRowsBefore(WS, '2026-10', 0);
      expect(await counts(AUTUMN)).toEqual({ '2026-11': 9, '2026-10': 31 });
    });
  });

  it('noted beyond the end that was read is searched for again', async () => {
    await putRows(vault, WS, times);
    await vault.bookkeeping.noteRowsBefore(WS, '2026-11', 41);
    expect(await counts()).toEqual({ '2026-11': 9 });
  });
});
