import type { LaneRef, Ledger } from '../audit/ledger.ts';
import type { RowRemover } from './row-remover.ts';

/** Rows read at once, to see which are there: more than one answer of DynamoDB holds (1 MB). */
const PAGE = 5_000;

/**
 * Deletes the rows of a lane up to one, from the lowest that is still there.
 *
 * @returns how many.
 * @throws VaultError `unavailable`; called again, it goes on.
 */
export async function deleteBelow(
  { ledger, remover }: { readonly ledger: Ledger; readonly remover: RowRemover },
  lane: LaneRef,
  throughSeq: number,
): Promise<number> {
  let deleted = 0;
  for (let next = 1; next <= throughSeq; ) {
    const rows = await ledger.rows(lane, next, PAGE);
    const seqs = rows.map(({ seq }) => seq).filter((seq) => seq >= next && seq <= throughSeq);
    const last = seqs.at(-1);
    if (last === undefined) break;
    await remover.remove(lane, seqs);
    deleted += seqs.length;
    next = last + 1;
  }
  return deleted;
}
