import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { readRow } from './build-rows.ts';
import { type AuditEvent, type Origin, PRINCIPAL_LANE, STRANGER_LANE } from './event.ts';
import { FIRST_EXTRA_LANE } from './lane-set.ts';
import type { LaneRef, Ledger, StoredRow } from './ledger.ts';
import { GENESIS_HASH, rowHash } from './row.ts';
import type { AuditTrail } from './trail.ts';

/** The event that opens a lane; a workspace's first commit contains that of the strangers' lane. */
export function laneOpened(workspaceId: string, lane: number): AuditEvent {
  return {
    action: 'lane.opened',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
    detail: { lane: String(lane) },
  };
}

/** A workspace's first commit opens lane 1, so that row is nearly always among the first of lane 0. */
const FIRST_PAGE = 10;
const PAGE = 1_000;

/**
 * The `prev` of a lane's first row: zeros for lane 0; for another the hash of the row in lane 0 that opened it, so
 * that no lane can be added or dropped unseen. A lane that was never opened is opened first.
 */
export async function laneStart(ledger: Ledger, trail: AuditTrail, lane: LaneRef): Promise<string> {
  if (lane.lane === PRINCIPAL_LANE) return GENESIS_HASH;
  const opening = await findOpening(ledger, lane);
  if (opening !== undefined) return opening;
  await trail.commit(systemOrigin(lane.workspaceId), [laneOpened(lane.workspaceId, lane.lane)]);
  // Two writers may both have opened it: the first row counts, for this writer, the other one, and the verifier.
  const opened = await findOpening(ledger, lane);
  if (opened === undefined)
    throw new Error(`Lane ${lane.lane} of ${lane.workspaceId} was opened too late to be found.`);
  return opened;
}

/**
 * The hash of the first readable row in lane 0 that opened a lane. Of an extra lane the place of that row is known;
 * should it no longer be there, it is searched like any other.
 */
export async function findOpening(ledger: Ledger, ref: LaneRef): Promise<string | undefined> {
  const { workspaceId, lane } = ref;
  const known = lane < FIRST_EXTRA_LANE ? undefined : await knownOpening(ledger, ref);
  if (known !== undefined) return rowHash(known.bytes);
  for (let from = 1; ; ) {
    const rows = await ledger.rows(
      { workspaceId, lane: PRINCIPAL_LANE },
      from,
      from === 1 ? FIRST_PAGE : PAGE,
    );
    const opening = rows.find((row) => opens(row, lane));
    if (opening !== undefined) return rowHash(opening.bytes);
    const last = Math.max(0, ...rows.map(({ seq }) => seq));
    if (last < from) return undefined;
    from = last + 1;
  }
}

async function knownOpening(ledger: Ledger, { workspaceId, lane }: LaneRef): Promise<StoredRow | undefined> {
  const extra = (await ledger.extraLanes(workspaceId)).find((one) => one.lane === lane);
  const row = extra && (await ledger.row({ workspaceId, lane: PRINCIPAL_LANE }, extra.openedBy));
  return row !== undefined && opens(row, lane) ? row : undefined;
}

function opens(row: StoredRow, lane: number): boolean {
  const content = readRow(row);
  return content?.action === 'lane.opened' && content.detail['lane'] === String(lane);
}

/** The vault itself, at work on a workspace without anybody's request. */
export function systemOrigin(workspaceId: string, job = 'lockzero'): Origin {
  return { workspaceId, lane: PRINCIPAL_LANE, actor: { type: 'system', id: job }, ip: '-', userAgent: '' };
}

/** What a caller without valid credentials caused: in its workspace where one is known, else in the platform's. */
export function strangerOrigin(
  workspaceId: string | undefined,
  ip: string,
  userAgent: string,
  country?: string,
): Origin {
  return {
    workspaceId: workspaceId ?? PLATFORM_WORKSPACE,
    lane: STRANGER_LANE,
    actor: { type: 'anonymous', id: '-' },
    ip,
    userAgent,
    country,
  };
}
