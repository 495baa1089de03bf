import type { LaneRef, Ledger, StoredRow } from './ledger.ts';
import { type AuditRow, decodeRow, GENESIS_HASH, RowFormatError, rowHash } from './row.ts';

/** What can be wrong with a row, an entity, the seals or the archive. `docs/audit-format.md` explains each. */
export type BreakReason =
  | 'hash_mismatch'
  | 'malformed'
  | 'unknown_version'
  | 'not_canonical'
  | 'wrong_place'
  | 'nonce_mismatch'
  | 'missing_row'
  | 'broken_link'
  | 'time_reversed'
  | 'lane_not_opened'
  | 'entity_altered'
  | 'entity_missing'
  | 'entity_unexplained'
  | 'log_shrunk'
  | 'log_forked'
  | 'root_mismatch'
  | 'bad_signature'
  | 'unsealed'
  | 'archive_mismatch'
  | 'archive_missing';

/**
 * The first thing wrong at one place: a row, or an entity and the row that last changed it. What concerns the log or the
 * archive as a whole names the checkpoint or the object, and the last row that was found whole.
 */
export interface Break {
  readonly lane: number;
  readonly seq: number;
  readonly reason: BreakReason;
  readonly entity?: { readonly kind: string; readonly id: string };
}

/** Where checking starts: at the row after this one. */
export interface Anchor {
  readonly seq: number;
  /** The hash of its bytes. */
  readonly hash: string;
  /** The hash that the table gives for it, where it is another: the row is broken, and the next may follow either. */
  readonly storedHash?: string;
  /** The row's `ts`; empty before the first row. */
  readonly ts: string;
}

export interface LaneCheck {
  /** How many rows were checked. */
  readonly rows: number;
  /** The last row checked, or the anchor if there was none. */
  readonly head: Anchor;
  /** At most {@link MAX_BREAKS}, in order. */
  readonly breaks: readonly Break[];
}

/** Breaks told for one lane; a rewritten table would name millions. */
export const MAX_BREAKS = 20;

/** Rows asked for at once: more than one answer of DynamoDB holds (1 MB). */
const PAGE = 5_000;

/** The anchor of lane 0: nothing comes before its first row. */
export const GENESIS: Anchor = { seq: 0, hash: GENESIS_HASH, ts: '' };

/**
 * Checks the rows of a lane from an anchor up to `last` (or the end): each row's hash over its stored bytes, its
 * strict form, its place, its link to the row before, and that time does not run back. Memory stays flat.
 *
 * After a break it goes on from what is there, so that one edit is told once and later ones are still found.
 *
 * @param onRow gets every row that could be read, in order.
 * @param limit how many rows to check at most. Fewer than that means that the lane ended, or `last` was reached.
 */
export async function verifyLane(
  ledger: Ledger,
  lane: LaneRef,
  anchor: Anchor,
  last = Number.MAX_SAFE_INTEGER,
  onRow: (row: AuditRow, stored: StoredRow) => void = () => {},
  limit = Number.MAX_SAFE_INTEGER,
): Promise<LaneCheck> {
  const breaks: Break[] = [];
  const report = (seq: number, reason: BreakReason): void => {
    if (breaks.length < MAX_BREAKS) breaks.push({ lane: lane.lane, seq, reason });
  };
  let head = anchor;
  let rows = 0;
  while (head.seq < last && rows < limit) {
    const pageStart = head.seq;
    for (const stored of await ledger.rows(lane, head.seq + 1, Math.min(PAGE, limit - rows))) {
      if (stored.seq > last) return { rows, head, breaks };
      if (stored.seq <= head.seq) {
        // A key that is none of a row's, but sorts among them.
        report(head.seq + 1, 'wrong_place');
        continue;
      }
      const { reason, row } = checkRow(lane, head, stored);
      if (reason !== undefined) report(reason === 'missing_row' ? head.seq + 1 : stored.seq, reason);
      if (row !== undefined) onRow(row, stored);
      rows += 1;
      head = headOf(stored, row?.ts ?? head.ts);
    }
    if (head.seq === pageStart) break;
  }
  return { rows, head, breaks };
}

function headOf({ seq, bytes, hash: storedHash }: StoredRow, ts: string): Anchor {
  const hash = rowHash(bytes);
  return hash === storedHash ? { seq, hash, ts } : { seq, hash, storedHash, ts };
}

/** The first thing wrong with a row that should follow `head`; and its content, if it has any. */
export function checkRow(
  lane: LaneRef,
  head: Anchor,
  stored: StoredRow,
): { readonly reason?: BreakReason; readonly row?: AuditRow } {
  let row: AuditRow;
  try {
    row = decodeRow(stored.bytes);
  } catch (error) {
    if (!(error instanceof RowFormatError)) throw error;
    return { reason: rowHash(stored.bytes) === stored.hash ? error.reason : 'hash_mismatch' };
  }
  const reason = faultOf(lane, head, stored, row);
  return reason === undefined ? { row } : { reason, row };
}

function faultOf(lane: LaneRef, head: Anchor, stored: StoredRow, row: AuditRow): BreakReason | undefined {
  if (rowHash(stored.bytes) !== stored.hash) return 'hash_mismatch';
  if (row.ws !== lane.workspaceId || row.lane !== lane.lane || row.seq !== stored.seq) return 'wrong_place';
  if (row.nonce !== stored.nonce) return 'nonce_mismatch';
  if (stored.seq !== head.seq + 1) return 'missing_row';
  if (row.prev !== head.hash && row.prev !== head.storedHash) return 'broken_link';
  if (row.ts < head.ts) return 'time_reversed';
  return undefined;
}
