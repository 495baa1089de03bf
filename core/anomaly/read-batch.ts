import { laneRange } from '../audit/date-range.ts';
import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import { mergedRows, type ReadableRow } from '../audit/merged-rows.ts';
import type { LaneNumbers } from './anomaly-states.ts';

/** Rows that one read asks for: of 600 bytes each, they fit into one answer. */
const PAGE = 1_000;

export interface Batch {
  /** Of all lanes, in the order of time. */
  readonly rows: readonly ReadableRow[];
  /** The last of them in each lane that has one. */
  readonly through: LaneNumbers;
  /** Whether there are rows behind these, or it was not looked. */
  readonly more: boolean;
  /** The time of the row behind these, in epoch milliseconds; absent where none is known. */
  readonly following?: number;
}

/**
 * The rows from `next` on, at most `limit`. Rows that somebody spoiled cannot be looked at and are left out; the
 * verifier is who reports them.
 */
export async function newBatch(
  ledger: Ledger,
  workspaceId: string,
  next: LaneNumbers,
  limit: number,
): Promise<Batch> {
  const lanes = await lanesOf(ledger, workspaceId);
  const ranges = lanes.map((lane) => ({
    workspaceId,
    lane,
    first: next[lane] ?? 1,
    last: Number.MAX_SAFE_INTEGER,
  }));
  const rows: ReadableRow[] = [];
  let following: number | undefined;
  for await (const row of mergedRows(ledger, ranges, 'rising', Math.min(limit + 1, PAGE))) {
    if (rows.length < limit) rows.push(row);
    else {
      following = Date.parse(row.content.ts);
      break;
    }
  }
  const through = Object.fromEntries(rows.map(({ stored }) => [stored.lane, stored.seq]));
  return { rows, through, more: following !== undefined, ...(following === undefined ? {} : { following }) };
}

/** The rows from `next` up to `through`, which lie there already: they come in the same order each time. */
export async function knownBatch(
  ledger: Ledger,
  workspaceId: string,
  next: LaneNumbers,
  through: LaneNumbers,
): Promise<Batch> {
  const ranges = Object.entries(through).map(([lane, last]) => ({
    workspaceId,
    lane: Number(lane),
    first: next[lane] ?? 1,
    last,
  }));
  const rows: ReadableRow[] = [];
  for await (const row of mergedRows(ledger, ranges, 'rising', PAGE)) rows.push(row);
  return { rows, through, more: true };
}

/** The positions behind these rows. */
export function behind(next: LaneNumbers, last: LaneNumbers): LaneNumbers {
  return { ...next, ...Object.fromEntries(Object.entries(last).map(([lane, seq]) => [lane, seq + 1])) };
}

/** The first row of each lane at a time or after it, in epoch milliseconds. */
export async function positionsAt(ledger: Ledger, workspaceId: string, time: number): Promise<LaneNumbers> {
  const lanes = await lanesOf(ledger, workspaceId);
  const firsts = lanes.map(async (lane) => {
    const { first } = await laneRange(ledger, { workspaceId, lane }, { from: time });
    return [lane, first] as const;
  });
  return Object.fromEntries(await Promise.all(firsts));
}
