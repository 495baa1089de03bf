import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import { mergedRows, type ReadableRow } from '../audit/merged-rows.ts';
import type { LanePositions } from './webhook.ts';

/** Rows in one request have at most this many bytes together, but one row always fits; as JSON they grow by about half. */
const MAX_BATCH_BYTES = 512 * 1024;
/** Rows that one read asks for. */
const PAGE = 100;

export interface Batch {
  readonly rows: readonly ReadableRow[];
  /** Whether there are more behind these. */
  readonly more: boolean;
}

/**
 * The rows to send next, of all lanes in the order of time. Rows that somebody spoiled cannot be sent and are left
 * behind; that they are missing shows in the numbers of the others.
 */
export async function nextBatch(
  ledger: Ledger,
  workspaceId: string,
  next: LanePositions,
  limit: number,
): Promise<Batch> {
  const ranges = (await lanesOf(ledger, workspaceId)).map((lane) => ({
    workspaceId,
    lane,
    first: next[lane] ?? 1,
    last: Number.MAX_SAFE_INTEGER,
  }));
  const rows: ReadableRow[] = [];
  let bytes = 0;
  for await (const row of mergedRows(ledger, ranges, 'rising', Math.min(limit + 1, PAGE))) {
    bytes += row.stored.bytes.length;
    if (rows.length === limit || (rows.length > 0 && bytes > MAX_BATCH_BYTES)) return { rows, more: true };
    rows.push(row);
  }
  return { rows, more: false };
}

/** The positions behind these rows. */
export function positionsAfter(next: LanePositions, rows: readonly ReadableRow[]): LanePositions {
  return { ...next, ...Object.fromEntries(rows.map(({ stored }) => [stored.lane, stored.seq + 1])) };
}
