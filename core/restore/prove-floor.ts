import { dayOf, daysBefore } from '../archive/day.ts';
import { readRow } from '../audit/build-rows.ts';
import { rowHash } from '../audit/row.ts';
import type { Store } from '../kernel/store.ts';
import type { RetentionFloor } from '../retention/floor.ts';
import { openPublishedLog } from '../seal/published-log.ts';
import { readSealedRow } from '../verification/read-sealed-row.ts';
import type { VerificationParts } from '../verification/verification-parts.ts';
import { AUDIT_RETENTION_DAYS, workspaceKind } from '../workspaces/workspace.ts';

export interface ProofParts {
  readonly log: VerificationParts['log'];
  readonly store: Pick<Store, 'get'>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Whether the published log has, at the floor of each lane, the very row that the floor names, and retention would give
 * that row up by itself: the log is no secret, so anybody could name a row of yesterday.
 */
export async function isProvenFloor(
  { log, store, now }: ProofParts,
  { workspaceId, lanes }: RetentionFloor,
): Promise<boolean> {
  const published = await openPublishedLog(log, workspaceId);
  if (published === undefined) return false;
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  const kept = workspace?.auditRetentionDays ?? AUDIT_RETENTION_DAYS.unlessSet;
  const lastDay = daysBefore(dayOf(now), kept + 1);
  for (const [name, { throughSeq, hash }] of Object.entries(lanes)) {
    if (throughSeq === 0) continue;
    const bytes = await readSealedRow(log.seals, published, { workspaceId, lane: Number(name) }, throughSeq);
    if (bytes === undefined || rowHash(bytes) !== hash) return false;
    const row = readRow({ workspaceId, lane: Number(name), seq: throughSeq, bytes, hash, nonce: '' });
    if (row === undefined || dayOf(Date.parse(row.ts)) > lastDay) return false;
  }
  return true;
}
