import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { LaneRef, Ledger } from '../audit/ledger.ts';
import type { AuditRow } from '../audit/row.ts';
import { type Anchor, type Break, verifyLane } from '../audit/verify-lane.ts';
import { type LastChange, nameOf } from './judge-entities.ts';

/** Rows read before it is decided whether the slice is full: each may change a hundred entities. */
const CHUNK = 1_000;
/** The last lane that a row can name. */
const MAX_LANE = 65_535;

export interface RowSlice {
  readonly rows: number;
  /** The last row read, or the anchor. */
  readonly head: Anchor;
  readonly breaks: readonly Break[];
  /** The last change of each entity, by name. */
  readonly changes: ReadonlyMap<string, LastChange>;
  /** The lanes that these rows opened. */
  readonly opened: ReadonlySet<number>;
  /** Whether the lane ended. */
  readonly ended: boolean;
}

/** Checks the rows after `anchor`, at most `slice`, or until they have changed as many entities. */
export async function readRowSlice(
  ledger: Ledger,
  ref: LaneRef,
  anchor: Anchor,
  slice: number,
): Promise<RowSlice> {
  const changes = new Map<string, LastChange>();
  const opened = new Set<number>();
  const breaks: Break[] = [];
  const note = (row: AuditRow, seq: number): void => {
    if (ref.lane === PRINCIPAL_LANE && row.action === 'lane.opened') noteOpening(row, opened);
    for (const { kind, id, revision, digest } of row.changes)
      changes.set(nameOf({ kind, id }), { kind, id, revision, digest, seq });
  };
  let [rows, head] = [0, anchor];
  let ended = false;
  while (rows < slice && changes.size < slice && !ended) {
    const limit = Math.min(CHUNK, slice - rows);
    const onRow = (row: AuditRow, { seq }: { readonly seq: number }): void => note(row, seq);
    const check = await verifyLane(ledger, ref, head, Number.MAX_SAFE_INTEGER, onRow, limit);
    breaks.push(...check.breaks);
    rows += check.rows;
    head = check.head;
    ended = check.rows < limit;
  }
  return { rows, head, breaks, changes, opened, ended };
}

function noteOpening({ detail }: AuditRow, opened: Set<number>): void {
  const lane = Number(detail['lane']);
  if (Number.isSafeInteger(lane) && lane > PRINCIPAL_LANE && lane <= MAX_LANE) opened.add(lane);
}
