import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import { mergedRows, type ReadableRow } from '../audit/merged-rows.ts';
import { concerns } from './alert-notice.ts';
import { feedOf, type LanePositions, type Webhook } from './webhook.ts';

/** Rows in one request have at most this many bytes together, but one row always fits; as JSON they grow by about half. */
const MAX_BATCH_BYTES = 512 * 1024;
/** Rows that one read asks for. */
const PAGE = 100;
/** Rows that are passed over before the caller may look at its clock. */
export const MAX_PASSED_OVER = 500;

export interface Batch {
  /** The rows to send next; none where none was found yet. */
  readonly rows: readonly ReadableRow[];
  /** The positions in front of the first of these, behind rows that are not to be sent. */
  readonly first: LanePositions;
  /** The positions behind all rows that were looked at. */
  readonly after: LanePositions;
  /** Whether there are more rows behind these. */
  readonly more: boolean;
}

/**
 * The rows to send a webhook next, of all lanes in the order of time. Rows that do not concern it are passed over. Rows
 * that somebody spoiled cannot be sent and are left behind; that they are missing shows in the numbers of the others.
 */
export async function nextBatch(ledger: Ledger, webhook: Webhook, next: LanePositions): Promise<Batch> {
  const { workspaceId, batchSize: limit } = webhook;
  const ranges = (await lanesOf(ledger, workspaceId)).map((lane) => ({
    workspaceId,
    lane,
    first: next[lane] ?? 1,
    last: Number.MAX_SAFE_INTEGER,
  }));
  const pageSize = feedOf(webhook) === 'audit' ? Math.min(limit + 1, PAGE) : PAGE;
  const rows: ReadableRow[] = [];
  let first = next;
  let after = next;
  let bytes = 0;
  let passed = 0;
  for await (const row of mergedRows(ledger, ranges, 'rising', pageSize)) {
    if (rows.length === limit || passed === MAX_PASSED_OVER) return { rows, first, after, more: true };
    const isSent = concerns(webhook, row);
    if (isSent) {
      bytes += row.stored.bytes.length;
      if (rows.length > 0 && bytes > MAX_BATCH_BYTES) return { rows, first, after, more: true };
      rows.push(row);
    } else passed += 1;
    after = { ...after, [row.stored.lane]: row.stored.seq + 1 };
    if (rows.length === 0) first = after;
  }
  return { rows, first, after, more: false };
}
