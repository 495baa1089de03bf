import type { PublishedLog } from '../seal/published-log.ts';
import { type Leaf, readLeaf } from './choose-rows.ts';
import type { LeafRange } from './leaf-range.ts';
import { readEntries } from './read-entries.ts';

/** Leaves read at once. */
const READ_LEAVES = 2_048;

/** How many leaves are taken at most, and how many bytes of rows; but one leaf at least. */
export interface LeafLimits {
  readonly leaves: number;
  readonly bytes: number;
}

/** The first leaves of a range, as many as the limits allow. */
export async function readLeaves(
  published: PublishedLog,
  { begin, end }: LeafRange,
  limits: LeafLimits,
): Promise<Leaf[]> {
  const last = Math.min(end, begin + limits.leaves);
  const leaves: Leaf[] = [];
  let bytes = 0;
  for (let next = begin; next < last; next += READ_LEAVES) {
    for (const entry of await readEntries(published, next, Math.min(last, next + READ_LEAVES))) {
      bytes += entry.length;
      // One row at least, so that the bundles come to an end.
      if (bytes > limits.bytes && leaves.length > 0) return leaves;
      leaves.push(readLeaf(entry, begin + leaves.length));
    }
  }
  return leaves;
}
