import type { LaneRef, Ledger, StoredRow } from '../audit/ledger.ts';
import type { AuditRow } from '../audit/row.ts';
import { type Anchor, checkRow } from '../audit/verify-lane.ts';
import { ArchiveFault } from './archive-fault.ts';

export interface CheckedRow {
  readonly stored: StoredRow;
  readonly row: AuditRow;
}

/** Rows asked for at once: more than one answer of DynamoDB holds (1 MB). */
const PAGE = 5_000;

/**
 * The rows of a lane behind `head` up to `last`, each checked as the verifier checks it.
 *
 * @throws ArchiveFault `row_…` for the first that does not verify.
 * @throws VaultError `unavailable`
 */
export async function* checkedRows(
  ledger: Ledger,
  lane: LaneRef,
  head: Anchor,
  last: number,
): AsyncGenerator<CheckedRow> {
  let before = head;
  while (before.seq < last) {
    const start = before.seq;
    const page = await ledger.rows(lane, start + 1, PAGE);
    // A key that is none of a row's reads as 0: somebody planted it, and the verifier tells.
    const rows = page.filter(({ seq }) => seq > start && seq <= last);
    if (rows.length === 0) throw broken(lane, start + 1, 'missing_row');
    for (const stored of rows) {
      const { row, reason } = checkRow(lane, before, stored);
      if (reason === 'missing_row') throw broken(lane, before.seq + 1, reason);
      if (row === undefined || reason !== undefined) throw broken(lane, stored.seq, reason ?? 'malformed');
      yield { stored, row };
      before = { seq: stored.seq, hash: stored.hash, ts: row.ts };
    }
  }
}

function broken({ lane }: LaneRef, seq: number, reason: string): ArchiveFault {
  return new ArchiveFault('audit_break', `row ${lane}-${seq}`, `row_${reason}`);
}
