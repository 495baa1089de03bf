import type { LaneRef, Ledger } from '../audit/ledger.ts';
import { rowHash } from '../audit/row.ts';
import type { Anchor, Break } from '../audit/verify-lane.ts';
import { laneAnchor, type RetentionFloor } from '../retention/floor.ts';
import { explainedFloor, floorOf } from './explain-entity.ts';
import { addFindings } from './findings.ts';
import { judgeEntities, nameOf } from './judge-entities.ts';
import { presentLanes } from './present-lanes.ts';
import { readRowSlice } from './read-row-slice.ts';
import type { VerificationParts } from './verification-parts.ts';
import type {
  Findings,
  MissingEntity,
  RowProgress,
  VerificationRun,
  Verified,
} from './verification-state.ts';

type Parts = Pick<VerificationParts, 'ledger' | 'inspector' | 'kinds'>;

/** Bytes of missing entities kept between slices: the state is one item of DynamoDB, of at most 400 KB. */
const MAX_MISSING_BYTES = 200_000;

/** The lanes to read: those that the workspace has, and those that were verified before. */
export async function startRows(
  ledger: Ledger,
  workspaceId: string,
  verified: Verified,
): Promise<RowProgress> {
  const known = Object.keys(verified.lanes).map(Number);
  const lanes = new Set([...(await presentLanes(ledger, workspaceId)), ...known]);
  return { lanes: [...lanes].sort((a, b) => a - b), heads: {}, missing: [] };
}

/**
 * Reads one more slice of a workspace's rows, at most `slice`, and compares the entities that they changed. Memory holds
 * one slice.
 *
 * @returns the run after the slice; its lanes are empty when all are read.
 */
export async function verifyRowSlice(
  parts: Parts,
  workspaceId: string,
  run: VerificationRun,
  verified: Verified,
  slice: number,
): Promise<VerificationRun> {
  const [lane] = run.rows.lanes;
  if (lane === undefined) return run;
  const ref = { workspaceId, lane };
  const { ahead } = run.rows;
  const floor = await explainedFloor(parts, workspaceId);
  const after =
    ahead === undefined
      ? await checkSlice(parts, ref, run, verified, floor, slice)
      : await readAhead(parts.ledger, ref, run.rows, ahead, slice);
  // The retention job may have raised the floor and removed rows meanwhile: then they are no longer expected.
  if (after.breaks.length > 0) {
    const raised = await explainedFloor(parts, workspaceId);
    if (floorOf(raised, lane) > floorOf(floor, lane))
      return verifyRowSlice(parts, workspaceId, run, verified, slice);
  }
  return { ...run, rows: after.rows, findings: addFindings(run.findings, after.counts, after.breaks) };
}

interface Slice {
  readonly rows: RowProgress;
  readonly breaks: readonly Break[];
  readonly counts: Partial<Pick<Findings, 'rows' | 'entities'>>;
}

async function checkSlice(
  parts: Parts,
  ref: LaneRef,
  run: VerificationRun,
  verified: Verified,
  floor: RetentionFloor | undefined,
  slice: number,
): Promise<Slice> {
  const { lane, workspaceId } = ref;
  const start = await startOf(parts.ledger, ref, run, verified, floor);
  const read = await readRowSlice(parts.ledger, ref, start.anchor, slice);
  // Its first row may have come just now, and with it the row that opened the lane.
  const isOpenNow =
    start.unopened && read.rows > 0 && (await laneAnchor(parts.ledger, ref, floor)).hash !== '';
  if (isOpenNow) return checkSlice(parts, ref, run, verified, floor, slice);
  const changes = [...read.changes.values()];
  const judged = await judgeEntities(parts, workspaceId, lane, read.head.seq, changes);
  const before = run.rows.missing.filter((entity) => !read.changes.has(nameOf(entity)));
  const rows: RowProgress = {
    ...run.rows,
    lanes: withOpened(run.rows, read.opened),
    heads: { ...run.rows.heads, [lane]: read.head },
  };
  const counts = { rows: read.rows, entities: changes.length };
  const breaks = [...start.breaks, ...openingFirst(lane, start, read.breaks), ...judged.breaks];
  if (read.ended) {
    // Who was missing before these rows were read was removed by none of them, and by none that follows.
    breaks.push(...before.map((entity) => missingBreak(lane, entity)));
    const isDone = judged.missing.length === 0;
    return { rows: isDone ? nextLane(rows) : { ...rows, missing: [...judged.missing] }, breaks, counts };
  }
  const missing = [...before, ...judged.missing];
  const isTooMuch = Buffer.byteLength(JSON.stringify(missing)) > MAX_MISSING_BYTES;
  return { rows: { ...rows, missing, ...(isTooMuch ? { ahead: read.head } : {}) }, breaks, counts };
}

/** Reads on only to learn which of the missing were removed later: they are too many to be kept in mind until then. */
async function readAhead(
  ledger: Ledger,
  ref: LaneRef,
  rows: RowProgress,
  ahead: Anchor,
  slice: number,
): Promise<Slice> {
  const read = await readRowSlice(ledger, ref, ahead, slice);
  const missing = rows.missing.filter((entity) => !read.changes.has(nameOf(entity)));
  if (!read.ended && missing.length > 0)
    return { rows: { ...rows, missing, ahead: read.head }, breaks: [], counts: {} };
  const { ahead: _done, ...rest } = rows;
  return {
    rows: { ...rest, missing: [] },
    breaks: missing.map((entity) => missingBreak(ref.lane, entity)),
    counts: {},
  };
}

function missingBreak(lane: number, { kind, id, seq }: MissingEntity): Break {
  return { lane, seq, reason: 'entity_missing', entity: { kind, id } };
}

function nextLane({ lanes, heads }: RowProgress): RowProgress {
  return { lanes: lanes.slice(1), heads, missing: [] };
}

/** Lane 0 may tell of lanes that nothing else names any more. */
function withOpened({ lanes, heads }: RowProgress, opened: ReadonlySet<number>): number[] {
  const fresh = [...opened].filter((lane) => !lanes.includes(lane) && heads[lane] === undefined);
  return [...lanes, ...fresh.sort((a, b) => a - b)];
}

interface Start {
  readonly anchor: Anchor;
  /** Whether nothing is known to have opened the lane. */
  readonly unopened: boolean;
  readonly breaks: readonly Break[];
}

/** The row to go on after: the last one read, else the last verified one, else the floor or the lane's beginning. */
async function startOf(
  ledger: Ledger,
  ref: LaneRef,
  run: VerificationRun,
  verified: Verified,
  floor: RetentionFloor | undefined,
): Promise<Start> {
  const { lane } = ref;
  const read = run.rows.heads[lane];
  const floorSeq = floorOf(floor, lane);
  if (read !== undefined && read.seq >= floorSeq && read.seq > 0)
    return { anchor: read, unopened: false, breaks: [] };
  const known = verified.lanes[lane];
  const isKnown = known !== undefined && known.seq > floorSeq;
  const breaks = isKnown && read === undefined ? await changesOfAnchor(ledger, ref, known) : [];
  if (isKnown && run.kind === 'incremental') return { anchor: known, unopened: false, breaks };
  const anchor = await laneAnchor(ledger, ref, floor);
  return { anchor, unopened: anchor.hash === '', breaks };
}

/** A row that was verified before has to be there still, and to be the same. */
async function changesOfAnchor(
  ledger: Ledger,
  ref: LaneRef,
  { seq, hash }: Anchor,
): Promise<readonly Break[]> {
  const stored = await ledger.row(ref, seq);
  if (stored === undefined) return [{ lane: ref.lane, seq, reason: 'log_shrunk' }];
  return rowHash(stored.bytes) === hash ? [] : [{ lane: ref.lane, seq, reason: 'log_forked' }];
}

/** A lane without an opening has nothing that its first row could follow: that is told, and not what comes of it. */
function openingFirst(lane: number, { unopened }: Start, breaks: readonly Break[]): readonly Break[] {
  const isFollowUp = ({ seq, reason }: Break) => unopened && seq === 1 && reason === 'broken_link';
  return breaks.map((found) => (isFollowUp(found) ? { lane, seq: 1, reason: 'lane_not_opened' } : found));
}
