import type { TimeRange } from './date-range.ts';
import { PRINCIPAL_LANE } from './event.ts';
import { findOpening } from './lane-start.ts';
import type { LaneRef, Ledger } from './ledger.ts';
import { eventRanges } from './list-events.ts';
import { rowHash } from './row.ts';
import { type Anchor, type Break, GENESIS, verifyLane } from './verify-lane.ts';
import type { Verification } from './verify-workspace.ts';

/**
 * Checks only the rows of a span of time, each lane from the row before it on. Entities are not compared: what they
 * must be is known only to one who has read all rows.
 */
export async function verifyRange(
  ledger: Ledger,
  workspaceId: string,
  range: TimeRange,
): Promise<Verification> {
  const breaks: Break[] = [];
  let rows = 0;
  let head: Verification['head'] | undefined;
  for (const lane of await eventRanges(ledger, workspaceId, range)) {
    if (lane.first > lane.last) continue;
    const check = await verifyLane(ledger, lane, await anchorBefore(ledger, lane, lane.first), lane.last);
    rows += check.rows;
    breaks.push(...check.breaks);
    head ??= { lane: lane.lane, seq: check.head.seq, hash: check.head.hash };
  }
  return {
    ok: breaks.length === 0,
    rows,
    entities: 0,
    head: head ?? { lane: 0, seq: 0, hash: GENESIS.hash },
    breaks,
  };
}

/** What the first row of a range must follow: the row before it, by that row's bytes, or the start of its lane. */
async function anchorBefore(ledger: Ledger, lane: LaneRef, seq: number): Promise<Anchor> {
  if (seq === 1) {
    return lane.lane === PRINCIPAL_LANE
      ? GENESIS
      : { ...GENESIS, hash: (await findOpening(ledger, lane)) ?? '' };
  }
  const before = await ledger.row(lane, seq - 1);
  // Without it, the range is reported to start with a missing row.
  if (before === undefined) return { ...GENESIS, seq: seq - 2 };
  return { seq: seq - 1, hash: rowHash(before.bytes), ts: '' };
}
