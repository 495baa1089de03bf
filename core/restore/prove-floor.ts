import { rowHash } from '../audit/row.ts';
import type { RetentionFloor } from '../retention/floor.ts';
import { openPublishedLog } from '../seal/published-log.ts';
import { readSealedRow } from '../verification/read-sealed-row.ts';
import type { VerificationParts } from '../verification/verification-parts.ts';

export type ProofParts = VerificationParts['log'];

/** Whether the published log has, at the floor of each lane, the very row that the floor names. */
export async function isProvenFloor(
  log: ProofParts,
  { workspaceId, lanes }: RetentionFloor,
): Promise<boolean> {
  const published = await openPublishedLog(log, workspaceId);
  if (published === undefined) return false;
  for (const [name, { throughSeq, hash }] of Object.entries(lanes)) {
    if (throughSeq === 0) continue;
    const bytes = await readSealedRow(log.seals, published, { workspaceId, lane: Number(name) }, throughSeq);
    if (bytes === undefined || rowHash(bytes) !== hash) return false;
  }
  return true;
}
