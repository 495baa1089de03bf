import type { StoredRow } from '../audit/ledger.ts';
import { type RetentionFloor, readFloor } from '../retention/floor.ts';
import type { Checkpoint } from '../transparency/checkpoint.ts';
import { EMPTY_FRONTIER, type Frontier, hashFromHex } from '../transparency/merkle.ts';
import type { SealParts } from './parts.ts';
import { logReader } from './published-log.ts';
import { readPublishedRows } from './published-rows.ts';
import { missingRows, putBackRows } from './put-back-rows.ts';
import { addToSegments } from './read-new-rows.ts';
import type { LeafSegment, SealedLane, SealState } from './seal-state.ts';

/** A step of the log of which the table holds all rows again. */
export interface RecoveredStep {
  readonly frontier: Frontier;
  readonly lanes: SealState['lanes'];
  readonly segments: readonly LeafSegment[];
  /** How many rows the table lacked. */
  readonly rows: number;
}

/**
 * Puts back the rows between a state and a seal that the table lacks and should hold. All rows of the step are compared
 * before any of them is written.
 *
 * @param state how far the table holds all rows; undefined for the beginning of the log.
 * @param newestSize of the newest tree.
 * @throws SealRefusal `archive_conflict` when the log does not lead from the state to the seal, `log_forked` when another
 * row stands in the place of a sealed one.
 */
export async function recoverStep(
  parts: SealParts,
  workspaceId: string,
  state: SealState | undefined,
  seal: Checkpoint,
  newestSize: number,
): Promise<RecoveredStep> {
  const published = await readPublishedRows(
    logReader(parts, workspaceId),
    workspaceId,
    state === undefined ? EMPTY_FRONTIER : { size: state.size, hashes: state.frontier.map(hashFromHex) },
    seal,
    newestSize,
  );
  const lanes: { [lane: string]: SealedLane } = { ...state?.lanes };
  const segments: LeafSegment[] = [];
  const rows: StoredRow[] = [];
  for (const { row, ts, leaf } of published.rows) {
    const { lane, seq, hash } = row;
    // A row that somebody planted may claim the place of another.
    if (seq <= (lanes[lane]?.seq ?? 0)) continue;
    lanes[lane] = { seq, hash, ts };
    addToSegments(segments, { lane, seq, leaf });
    rows.push(row);
  }

  const floor = await readFloor(parts.store, workspaceId);
  const missing = await missingRows(parts.ledger, rows);
  const wanted = missing.filter((row) => isKept(floor, row));
  await putBackRows(parts.ledger, wanted);
  return { frontier: published.frontier, lanes, segments, rows: wanted.length };
}

/** Rows at or below the floor were deleted for good. */
export function isKept(
  floor: RetentionFloor | undefined,
  { lane, seq }: { readonly lane: number; readonly seq: number },
): boolean {
  return seq > (floor?.lanes[lane]?.throughSeq ?? 0);
}
