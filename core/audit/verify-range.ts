import type { Store } from '../kernel/store.ts';
import { laneAnchor, type RetentionFloor, readFloor } from '../retention/floor.ts';
import type { TimeRange } from './date-range.ts';
import type { LaneRef, Ledger } from './ledger.ts';
import { eventRanges } from './list-events.ts';
import { rowHash } from './row.ts';
import { type Anchor, type Break, GENESIS, verifyLane } from './verify-lane.ts';
import type { Verification } from './verify-workspace.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly store: Store;
}

/**
 * Checks only the rows of a span of time, each lane from the row before it on, and no row that retention has given up.
 * Entities are not compared: what they must be is known only to one who has read all rows.
 */
export async function verifyRange(
  { ledger, store }: Parts,
  workspaceId: string,
  range: TimeRange,
): Promise<Verification> {
  const breaks: Break[] = [];
  let rows = 0;
  let head: Verification['head'] | undefined;
  const floor = await readFloor(store, workspaceId);
  for (const lane of await eventRanges(ledger, workspaceId, range)) {
    const anchor = await anchorBefore(ledger, lane, lane.first, floor);
    if (anchor.seq >= lane.last) continue;
    const check = await verifyLane(ledger, lane, anchor, lane.last);
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

/** What the first row of a range must follow: the row before it, by that row's bytes, or the floor or start of its lane. */
async function anchorBefore(
  ledger: Ledger,
  lane: LaneRef,
  seq: number,
  floor: RetentionFloor | undefined,
): Promise<Anchor> {
  const start = floor?.lanes[lane.lane]?.throughSeq ?? 0;
  if (seq <= start + 1) return laneAnchor(ledger, lane, floor);
  const before = await ledger.row(lane, seq - 1);
  // Without it, the range is reported to start with a missing row.
  if (before === undefined) return { ...GENESIS, seq: seq - 2 };
  return { seq: seq - 1, hash: rowHash(before.bytes), ts: '' };
}
