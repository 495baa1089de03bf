import type { TimeRange } from '../audit/date-range.ts';
import { eventRanges } from '../audit/list-events.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import type { EvidenceParts } from './evidence-parts.ts';
import { findLeaf } from './find-leaf.ts';

/** Leaves from `begin` up to but without `end`. */
export interface LeafRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * The leaves among which all sealed rows of a span of time lie. A few of them may lie outside the span: the lanes of a
 * workspace are sealed one after another, a minute's rows at a time.
 *
 * @returns an empty range at the end of the tree when there are none.
 */
export async function leafRange(
  { ledger, log }: EvidenceParts,
  published: PublishedLog,
  range: TimeRange,
): Promise<LeafRange> {
  const { workspaceId, checkpoint } = published;
  let begin = checkpoint.size;
  let end = 0;
  for (const { lane, first, last } of await eventRanges(ledger, workspaceId, range)) {
    if (first > last) continue;
    const firstLeaf = await findLeaf(log, published, { lane, seq: first });
    if (firstLeaf === undefined) continue;
    const lastLeaf = await findLeaf(log, published, { lane, seq: last });
    begin = Math.min(begin, firstLeaf);
    // Rows that are not sealed yet lie behind the tree.
    end = Math.max(end, lastLeaf === undefined ? checkpoint.size : lastLeaf + 1);
  }
  return begin < end ? { begin, end } : { begin: checkpoint.size, end: checkpoint.size };
}
