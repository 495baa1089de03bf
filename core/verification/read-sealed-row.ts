import { leafOf } from '../archive/sealed-rows.ts';
import type { LaneRef } from '../audit/ledger.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';
import { leafHash } from '../transparency/merkle.ts';
import { inclusionProof, ProofError, verifyInclusion } from '../transparency/proofs.ts';
import { decodeEntries, entriesPath, TILE_WIDTH, TileError } from '../transparency/tiles.ts';

/**
 * The exact bytes of a row as they were published, proved to the signed root: for rows that the table gave up.
 *
 * @returns `undefined` when the log has no such row, or not one that can be proved.
 */
export async function readSealedRow(
  seals: SealStates,
  log: PublishedLog,
  lane: LaneRef,
  seq: number,
): Promise<Uint8Array | undefined> {
  const { size, root } = log.checkpoint;
  const leaf = await leafOf(seals, lane, seq);
  if (leaf === undefined || leaf >= size) return undefined;
  const index = Math.floor(leaf / TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const bundle =
    (await log.read(entriesPath(index, width))) ?? (await log.read(entriesPath(index, TILE_WIDTH)));
  if (bundle === undefined) return undefined;
  try {
    const entry = decodeEntries(bundle)[leaf % TILE_WIDTH];
    if (entry === undefined) return undefined;
    verifyInclusion(leafHash(entry), leaf, size, await inclusionProof(log.nodes, leaf, size), root);
    return entry;
  } catch (error) {
    if (error instanceof ProofError || error instanceof TileError) return undefined;
    throw error;
  }
}
