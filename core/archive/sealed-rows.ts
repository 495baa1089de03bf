import type { LaneRef } from '../audit/ledger.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';
import { hashFromHex } from '../transparency/merkle.ts';
import { inclusionProof, ProofError, verifyInclusion } from '../transparency/proofs.ts';
import { TileError } from '../transparency/tiles.ts';
import { ArchiveFault, conflict } from './archive-fault.ts';

/** The leaf index of a row; undefined while it is not sealed. */
export async function leafOf(
  seals: SealStates,
  { workspaceId, lane }: LaneRef,
  seq: number,
): Promise<number | undefined> {
  const segment = await seals.segmentOf(workspaceId, lane, seq);
  return segment && segment.firstLeaf + seq - segment.firstSeq;
}

/**
 * Proves that a row is in the tree of the published checkpoint. With it, so are all rows that its chain leads back to:
 * one proof is enough for a whole part.
 *
 * @param rowHash of its bytes, in hex.
 * @throws ArchiveFault `not_sealed` when the tree has another row in its place; `missing` when a tile is not there.
 * @throws VaultError `unavailable`
 */
export async function proveSealed(
  seals: SealStates,
  log: PublishedLog,
  lane: LaneRef,
  seq: number,
  rowHash: string,
): Promise<void> {
  const { size, root } = log.checkpoint;
  const leaf = await leafOf(seals, lane, seq);
  try {
    if (leaf === undefined || leaf >= size) throw new ProofError('The row has no leaf in the tree.');
    verifyInclusion(hashFromHex(rowHash), leaf, size, await inclusionProof(log.nodes, leaf, size), root);
  } catch (error) {
    if (error instanceof ProofError) {
      throw new ArchiveFault('log_forked', `row ${lane.lane}-${seq}`, 'not_sealed', error);
    }
    if (error instanceof TileError) throw conflict(`log/${lane.workspaceId}/tile/`, 'missing', error);
    throw error;
  }
}
