import type { RowPosition } from '../audit/event.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import type { SealedLogs } from './evidence-parts.ts';

/** The leaf index of a row in the published tree; `undefined` while it is not in it. */
export async function findLeaf(
  { seals }: SealedLogs,
  { workspaceId, checkpoint }: PublishedLog,
  { lane, seq }: RowPosition,
): Promise<number | undefined> {
  const segment = await seals.segmentOf(workspaceId, lane, seq);
  if (segment === undefined) return undefined;
  const leaf = segment.firstLeaf + seq - segment.firstSeq;
  return leaf < checkpoint.size ? leaf : undefined;
}
