import { timestamp } from '../kernel/timestamps.ts';
import { readRow } from './build-rows.ts';
import type { LaneRef, Ledger } from './ledger.ts';
import type { LaneRange } from './merged-rows.ts';

/** A span of time in epoch milliseconds; an absent end is open. */
export interface TimeRange {
  /** Included. */
  readonly from?: number;
  /** Excluded. */
  readonly to?: number;
}

/**
 * The rows of a lane within a span of time. Needs no index: as `ts` never falls while `seq` rises, the ends are found
 * by binary search over the keys, in about 20 small reads for a million rows.
 */
export async function laneRange(ledger: Ledger, lane: LaneRef, { from, to }: TimeRange): Promise<LaneRange> {
  const last = (await ledger.lastRow(lane))?.seq ?? 0;
  return {
    ...lane,
    first: from === undefined ? 1 : await firstRowAt(ledger, { ...lane, first: 1, last }, from),
    last: to === undefined ? last : (await firstRowAt(ledger, { ...lane, first: 1, last }, to)) - 1,
  };
}

/** The first row of a range at or after a time; `last + 1` if there is none. */
export async function firstRowAt(ledger: Ledger, range: LaneRange, time: number): Promise<number> {
  const { workspaceId, lane } = range;
  let low = range.first;
  let high = range.last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const at = await timeAtOrAfter(ledger, { workspaceId, lane }, middle);
    if (at !== undefined && at < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

const PROBE = 1;

/** The time of a row, or of the next readable one if somebody spoiled or removed it. */
async function timeAtOrAfter(ledger: Ledger, lane: LaneRef, seq: number): Promise<number | undefined> {
  const rows = await ledger.rows(lane, seq, PROBE);
  const readable = rows.map(readRow).find((content) => content !== undefined);
  return readable === undefined ? undefined : Date.parse(readable.ts);
}

/** A span of time as text, for details of events and for evidence; the end stays excluded. */
export function timesOf({ from, to }: TimeRange): { readonly from?: string; readonly to?: string } {
  return {
    ...(from === undefined ? {} : { from: timestamp(from) }),
    ...(to === undefined ? {} : { to: timestamp(to) }),
  };
}
