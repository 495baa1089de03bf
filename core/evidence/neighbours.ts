import type { PublishedLog } from '../seal/published-log.ts';
import type { Leaf } from './choose-rows.ts';
import type { SealedLogs } from './evidence-parts.ts';
import { proveRow, tlogProofOf } from './prove-inclusion.ts';

/**
 * For each lane with rows among the leaves, proofs of the row before its first and of the row after its last one, where
 * such a row is in the tree. They show that no lane was cut short.
 *
 * @returns Name and proof: `<lane>-before`, `<lane>-after`.
 */
export async function neighbours(
  log: SealedLogs,
  published: PublishedLog,
  leaves: readonly Leaf[],
): Promise<[name: string, proof: string][]> {
  const rows = leaves.flatMap(({ row }) => row ?? []);
  const proofs: [string, string][] = [];
  for (const [lane, inLane] of Map.groupBy(rows, (row) => row.lane)) {
    const ends = { before: (inLane[0]?.seq ?? 0) - 1, after: (inLane.at(-1)?.seq ?? 0) + 1 };
    for (const [side, seq] of Object.entries(ends)) {
      const proven = seq > 0 ? await proveRow(log, published, { lane, seq }) : undefined;
      if (proven !== undefined) proofs.push([`${lane}-${side}`, tlogProofOf(proven)]);
    }
  }
  return proofs;
}
