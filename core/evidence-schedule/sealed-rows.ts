import { ArchiveFault } from '../archive/archive-fault.ts';
import { type Leaf, readLeaf } from '../evidence/choose-rows.ts';
import type { SealedLogs } from '../evidence/evidence-parts.ts';
import { findLeaf } from '../evidence/find-leaf.ts';
import type { LeafRange } from '../evidence/leaf-range.ts';
import { readEntries } from '../evidence/read-entries.ts';
import { logPrefix, sealPath } from '../seal/log-origin.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { appendLeaves, frontierRoot } from '../transparency/merkle.ts';
import { consistencyProof, ProofError, subtrees, verifyConsistency } from '../transparency/proofs.ts';
import type { LaneRows } from './archived-period.ts';

/**
 * The leaves among which all of these rows lie. Where rows stand in the tree is noted in a table, which somebody may have
 * spoiled: the first and the last row of each lane have to be there.
 *
 * @param lanes at least one.
 * @throws ArchiveFault `not_sealed`; TileError; VaultError `unavailable`
 */
export async function sealedRange(
  log: SealedLogs,
  published: PublishedLog,
  lanes: readonly LaneRows[],
): Promise<LeafRange> {
  let begin = published.checkpoint.size;
  let end = 0;
  for (const { lane, first, last } of lanes) {
    begin = Math.min(begin, await leafOf(log, published, lane, first));
    end = Math.max(end, (await leafOf(log, published, lane, last)) + 1);
  }
  return { begin, end };
}

async function leafOf(log: SealedLogs, published: PublishedLog, lane: number, seq: number): Promise<number> {
  const leaf = await findLeaf(log, published, { lane, seq });
  const [entry] = leaf === undefined ? [] : await readEntries(published, leaf, leaf + 1);
  const row = leaf === undefined || entry === undefined ? undefined : readLeaf(entry, leaf).row;
  if (leaf === undefined || row?.lane !== lane || row.seq !== seq)
    throw new ArchiveFault('log_forked', `row ${lane}-${seq}`, 'not_sealed');
  return leaf;
}

/**
 * Whether these are the leaves of the signed tree: what is wrong would be locked up for years, and found by whoever checks.
 *
 * @throws ArchiveFault `not_sealed`; TileError; VaultError `unavailable`
 */
export async function demandSealed(
  { workspaceId, nodes, checkpoint: { size, root } }: PublishedLog,
  begin: number,
  leaves: readonly Leaf[],
): Promise<void> {
  const end = begin + leaves.length;
  try {
    const before = { size: begin, hashes: await nodes.nodes(subtrees(0, begin)) };
    const upToEnd = appendLeaves(
      before,
      leaves.map(({ hash }) => hash),
    );
    verifyConsistency(end, frontierRoot(upToEnd), size, root, await consistencyProof(nodes, end, size));
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new ArchiveFault('log_forked', `${logPrefix(workspaceId)}${sealPath(size)}`, 'not_sealed', error);
  }
}
