import { firstRowAt } from '../audit/date-range.ts';
import { STRANGER_LANE } from '../audit/event.ts';
import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { LaneRange } from '../audit/merged-rows.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type RetentionFloor, readFloor } from '../retention/floor.ts';
import { type Month, startOf } from './month.ts';
import type { PlanCounts } from './plan-counts.ts';

export interface RequestCountParts {
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'get'>;
  readonly bookkeeping: Pick<PlanCounts, 'rowsBefore' | 'noteRowsBefore'>;
}

export interface MonthCount {
  readonly month: Month;
  readonly count: number;
}

/**
 * How many rows a workspace got in each of these months in all lanes but the strangers'. Every request of a principal leaves
 * a row there, and rows are numbered, so nothing has to be counted as requests come: the last rows' numbers, less those at
 * the beginning of the month. That number is searched once a month, and noted.
 *
 * @param months without a gap, newest first, the first one the current one.
 * @returns likewise; it ends before a month of whose beginning no rows are left and no note was made.
 */
export async function countRequests(
  parts: RequestCountParts,
  workspaceId: string,
  months: readonly Month[],
): Promise<readonly MonthCount[]> {
  const [ranges, noted] = await Promise.all([
    principalRows(parts.ledger, workspaceId),
    parts.bookkeeping.rowsBefore(workspaceId),
  ]);
  let end = ranges.reduce((rows, { last }) => rows + last, 0);
  // A note that cannot be was spoiled: then it is searched for again, and set right.
  const credible = [...noted].filter(([, rows]) => Number.isSafeInteger(rows) && rows >= 0 && rows <= end);
  const known = new Map(credible);
  const missing = months.filter((month) => !known.has(month));
  const before = new Map([...known, ...(await searchBeginnings(parts, workspaceId, ranges, missing))]);
  const counts: MonthCount[] = [];
  for (const month of months) {
    const start = before.get(month);
    if (start === undefined) break;
    // Notes that somebody spoiled may fall from month to month.
    counts.push({ month, count: Math.max(0, end - start) });
    end = start;
  }
  return counts;
}

async function principalRows(ledger: Ledger, workspaceId: string): Promise<readonly LaneRange[]> {
  const lanes = (await lanesOf(ledger, workspaceId)).filter((lane) => lane !== STRANGER_LANE);
  return Promise.all(
    lanes.map(async (lane) => {
      const last = (await ledger.lastRow({ workspaceId, lane }))?.seq ?? 0;
      return { workspaceId, lane, first: 1, last };
    }),
  );
}

/** How many rows there were when each month began. Where retention may have removed rows from that time, nobody knows. */
async function searchBeginnings(
  parts: RequestCountParts,
  workspaceId: string,
  ranges: readonly LaneRange[],
  months: readonly Month[],
): Promise<readonly (readonly [Month, number])[]> {
  if (months.length === 0) return [];
  const floor = await readFloor(parts.store, workspaceId);
  const known = months.filter((month) => isAboveFloor(floor, startOf(month))).toReversed();
  const byLane = await Promise.all(
    // Whatever lies at or below the floor is older, there or not.
    ranges.map((range) =>
      beginningsIn(parts.ledger, { ...range, first: throughSeq(floor, range.lane) + 1 }, known),
    ),
  );
  const found = known.map(
    (month, index) => [month, byLane.reduce((rows, lane) => rows + (lane[index] ?? 0), 0)] as const,
  );
  await Promise.all(found.map(([month, rows]) => note(parts, workspaceId, month, rows)));
  return found;
}

function isAboveFloor(floor: RetentionFloor | undefined, time: number): boolean {
  return Object.values(floor?.lanes ?? {}).every(({ ts }) => ts === '' || Date.parse(ts) < time);
}

function throughSeq(floor: RetentionFloor | undefined, lane: number): number {
  return floor?.lanes[lane]?.throughSeq ?? 0;
}

/** How many rows of a lane came before each of these months, which rise. */
async function beginningsIn(ledger: Ledger, range: LaneRange, months: readonly Month[]): Promise<number[]> {
  const rows: number[] = [];
  let { first } = range;
  for (const month of months) {
    first = await firstRowAt(ledger, { ...range, first }, startOf(month));
    rows.push(first - 1);
  }
  return rows;
}

/** A note that is lost is searched for again. */
async function note({ bookkeeping }: RequestCountParts, workspaceId: string, month: Month, rows: number) {
  try {
    await bookkeeping.noteRowsBefore(workspaceId, month, rows);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
  }
}
