import { invalid } from '../kernel/errors.ts';
import { logPrefix, SEALS_PATH, sealPath } from '../seal/log-origin.ts';
import { type PublishedLog, readCheckpoint } from '../seal/published-log.ts';
import type { Hash } from '../transparency/merkle.ts';
import { consistencyProof } from '../transparency/proofs.ts';
import type { SealedLogs } from './evidence-parts.ts';

/** A checkpoint that was published earlier, and the proof that the log only grew since. */
export interface EarlierSeal {
  /** Such as `seals/0000000000000256`. */
  readonly path: string;
  readonly note: string;
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly Hash[];
}

const MAX_SEALS = 100;

/**
 * The checkpoints with trees larger than `size`, up to the published one, smallest first: at most 100.
 *
 * @param kept the size of a checkpoint that an auditor kept: it comes first, however small.
 * @throws VaultError `invalid_request` when no checkpoint of that size was published.
 */
export async function earlierSeals(
  log: SealedLogs,
  published: PublishedLog,
  size: number,
  kept: number | undefined,
): Promise<EarlierSeal[]> {
  const { workspaceId, checkpoint, nodes } = published;
  const seals: EarlierSeal[] = [];
  if (kept !== undefined && kept <= size) {
    const path = sealPath(kept);
    const seal = kept <= checkpoint.size ? await readCheckpoint(log, workspaceId, path) : undefined;
    if (seal === undefined) throw invalid('keptSize', 'must be the size of a checkpoint that was published');
    const hashes = await consistencyProof(nodes, kept, checkpoint.size);
    seals.push({ path, note: seal.note, from: kept, to: checkpoint.size, hashes });
  }
  const prefix = logPrefix(workspaceId);
  for await (const keys of log.archive.list(`${prefix}${SEALS_PATH}`, `${prefix}${sealPath(size)}`)) {
    for (const key of keys) {
      if (seals.length === MAX_SEALS) return seals;
      const path = key.slice(prefix.length);
      const seal = await readCheckpoint(log, workspaceId, path);
      // A seal that is newer than the published checkpoint is about to be published.
      if (seal === undefined || seal.checkpoint.size > checkpoint.size) return seals;
      const { size: from } = seal.checkpoint;
      const hashes = await consistencyProof(nodes, from, checkpoint.size);
      seals.push({ path, note: seal.note, from, to: checkpoint.size, hashes });
    }
  }
  return seals;
}
