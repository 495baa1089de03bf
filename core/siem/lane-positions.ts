import { readRow } from '../audit/build-rows.ts';
import { laneRange } from '../audit/date-range.ts';
import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import { invalid } from '../kernel/errors.ts';
import type { LanePositions } from './webhook.ts';

/** Behind the last row of each lane: from here on, only what is new. */
export function positionsAtEnd(ledger: Ledger, workspaceId: string): Promise<LanePositions> {
  return ofLanes(ledger, workspaceId, async (lane) => {
    return ((await ledger.lastRow({ workspaceId, lane }))?.seq ?? 0) + 1;
  });
}

/** The first row of each lane at a time or after it, in epoch milliseconds. */
export function positionsAt(ledger: Ledger, workspaceId: string, time: number): Promise<LanePositions> {
  return ofLanes(ledger, workspaceId, async (lane) => {
    return (await laneRange(ledger, { workspaceId, lane }, { from: time })).first;
  });
}

/**
 * An event, and in the other lanes the first row of its time.
 *
 * @param eventId `<lane>-<seq>`
 * @throws VaultError `invalid_request` when there is no such event.
 */
export async function positionsOf(
  ledger: Ledger,
  workspaceId: string,
  eventId: string,
): Promise<LanePositions> {
  const [, lane = '', seq = ''] = /^(0|[1-9]\d{0,4})-([1-9]\d{0,14})$/.exec(eventId) ?? [];
  const stored = lane === '' ? undefined : await ledger.row({ workspaceId, lane: Number(lane) }, Number(seq));
  const row = stored && readRow(stored);
  if (row === undefined) throw invalid('fromEventId', 'must be the id of an event in this workspace');
  return { ...(await positionsAt(ledger, workspaceId, Date.parse(row.ts))), [lane]: Number(seq) };
}

/** In each lane the earlier of two positions. */
export function earlier(a: LanePositions, b: LanePositions): LanePositions {
  const lanes = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...lanes].map((lane) => [lane, Math.min(a[lane] ?? 1, b[lane] ?? 1)]));
}

async function ofLanes(
  ledger: Ledger,
  workspaceId: string,
  position: (lane: number) => Promise<number>,
): Promise<LanePositions> {
  const lanes = await lanesOf(ledger, workspaceId);
  return Object.fromEntries(
    await Promise.all(lanes.map(async (lane) => [String(lane), await position(lane)] as const)),
  );
}
