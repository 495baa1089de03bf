import { PRINCIPAL_LANE } from '../audit/event.ts';
import { findOpening } from '../audit/lane-start.ts';
import type { LaneRef, Ledger, StoredRow } from '../audit/ledger.ts';
import { MAX_ROW_BYTES, rowHash } from '../audit/row.ts';
import { type Anchor, type BreakReason, checkRow } from '../audit/verify-lane.ts';
import { readFloor } from '../retention/floor.ts';
import type { LaneStanding } from './check-lanes.ts';
import { MAX_STEP_BYTES, MAX_STEP_ROWS, MAX_STEP_SEGMENTS, type SealParts } from './parts.ts';
import type { LeafSegment, SealedLane } from './seal-state.ts';

type Parts = Pick<SealParts, 'ledger' | 'store'>;

/** A row that does not verify. */
export interface RowBreak {
  readonly lane: number;
  readonly seq: number;
  readonly reason: BreakReason;
}

/** Rows that are not in the tree yet, in the order in which they become leaves. */
export interface NewRows {
  /** Their exact bytes. */
  readonly entries: readonly Uint8Array[];
  /** Where each of their lanes stands after them. */
  readonly lanes: { readonly [lane: string]: SealedLane };
  readonly segments: readonly LeafSegment[];
  readonly breaks: readonly RowBreak[];
  /** Whether more rows wait than one step takes. */
  readonly isFull: boolean;
}

/**
 * Reads the rows of each lane after its last sealed one, up to where the lane ended when it was looked at: at most
 * {@link MAX_STEP_ROWS} and {@link MAX_STEP_BYTES}.
 *
 * Each row is checked, and taken all the same: sealing pins what the table holds, verifying judges it. Whoever could
 * stop the sealing by spoiling a row would have won more. Only bytes that cannot be an entry of the log (none, or more
 * than 65,535) are left out; the break tells of them.
 */
export async function readNewRows(
  { ledger, store }: Parts,
  workspaceId: string,
  lanes: readonly LaneStanding[],
  firstLeaf: number,
): Promise<NewRows> {
  const step = new StepRows(firstLeaf);
  for (const { lane, sealed, lastSeq } of lanes) {
    if (lastSeq <= sealed.seq) continue;
    const ref = { workspaceId, lane };
    await readLane(ledger, ref, await startOf({ ledger, store }, ref, sealed), lastSeq, step);
    if (step.isFull) break;
  }
  return step;
}

async function startOf({ ledger, store }: Parts, lane: LaneRef, sealed: Anchor): Promise<Anchor> {
  if (sealed.seq > 0 || lane.lane === PRINCIPAL_LANE) return sealed;
  const opening = await findOpening(ledger, lane);
  if (opening !== undefined) return { ...sealed, hash: opening };
  // Retention may have removed the row that opened the lane, and then the floor keeps its hash.
  const floor = await readFloor(store, lane.workspaceId);
  return { ...sealed, hash: floor?.lanes[lane.lane]?.hash ?? '' };
}

async function readLane(
  ledger: Ledger,
  lane: LaneRef,
  start: Anchor,
  lastSeq: number,
  step: StepRows,
): Promise<void> {
  let head = start;
  while (head.seq < lastSeq) {
    const pageStart = head.seq;
    for (const stored of await ledger.rows(lane, head.seq + 1, MAX_STEP_ROWS)) {
      if (stored.seq > lastSeq) return;
      if (stored.seq <= head.seq) {
        // A key that is none of a row's, but sorts among them.
        step.breaks.push({ lane: lane.lane, seq: head.seq + 1, reason: 'wrong_place' });
        continue;
      }
      if (!step.hasRoom(stored)) return;
      const { reason, row } = checkRow(lane, head, stored);
      if (reason !== undefined) {
        const seq = reason === 'missing_row' ? head.seq + 1 : stored.seq;
        step.breaks.push({ lane: lane.lane, seq, reason });
      }
      const ts = row?.ts ?? head.ts;
      const hash = rowHash(stored.bytes);
      step.take(stored, hash, ts);
      head = { seq: stored.seq, hash, storedHash: stored.hash, ts };
    }
    if (head.seq === pageStart) return;
  }
}

/** Collects the rows of one step. */
class StepRows implements NewRows {
  readonly entries: Uint8Array[] = [];
  readonly lanes: { [lane: string]: SealedLane } = {};
  readonly segments: LeafSegment[] = [];
  readonly breaks: RowBreak[] = [];
  isFull = false;
  readonly #firstLeaf: number;
  #bytes = 0;

  constructor(firstLeaf: number) {
    this.#firstLeaf = firstLeaf;
  }

  hasRoom({ bytes }: StoredRow): boolean {
    const tooMany = this.entries.length >= MAX_STEP_ROWS || this.segments.length >= MAX_STEP_SEGMENTS;
    const tooLarge = this.entries.length > 0 && this.#bytes + bytes.length > MAX_STEP_BYTES;
    this.isFull = tooMany || tooLarge;
    return !this.isFull;
  }

  take({ lane, seq, bytes }: StoredRow, hash: string, ts: string): void {
    if (bytes.length === 0 || bytes.length > MAX_ROW_BYTES) return;
    addToSegments(this.segments, { lane, seq, leaf: this.#firstLeaf + this.entries.length });
    this.entries.push(bytes);
    this.lanes[lane] = { seq, hash, ts };
    this.#bytes += bytes.length;
  }
}

/** Adds a row, which is the next leaf, to the last segment where it continues that, else as a new one. */
export function addToSegments(
  segments: LeafSegment[],
  { lane, seq, leaf }: { readonly lane: number; readonly seq: number; readonly leaf: number },
): void {
  const last = segments.at(-1);
  const continues =
    last?.lane === lane && last.lastSeq + 1 === seq && last.firstLeaf + seq - last.firstSeq === leaf;
  if (continues) segments[segments.length - 1] = { ...last, lastSeq: seq };
  else segments.push({ lane, firstSeq: seq, lastSeq: seq, firstLeaf: leaf });
}
