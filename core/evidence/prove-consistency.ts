import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { invalid } from '../kernel/errors.ts';
import type { Hash } from '../transparency/merkle.ts';
import { consistencyProof } from '../transparency/proofs.ts';
import type { EvidenceParts } from './evidence-parts.ts';
import { openLog } from './open-log.ts';

export interface ConsistencyProof {
  readonly from: number;
  readonly to: number;
  /** RFC 6962 section 2.1.2. */
  readonly hashes: readonly Hash[];
}

/**
 * Proves that the log at one size is the beginning of the log at another: for whoever kept an earlier checkpoint.
 *
 * @throws VaultError `invalid_request` unless 1 <= from <= to <= the size of the published tree.
 */
export async function proveConsistency(
  { log, trail }: EvidenceParts,
  context: RequestContext,
  { from, to }: { readonly from: number; readonly to?: number | undefined },
): Promise<ConsistencyProof> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:read');
  const { checkpoint, nodes } = await openLog(log, workspaceId);
  const end = to ?? checkpoint.size;
  if (end > checkpoint.size) throw invalid('to', `must be at most ${checkpoint.size}, the size of the log`);
  if (from > end) throw invalid('from', 'must not be larger than to');
  const hashes = await consistencyProof(nodes, from, end);
  await trail.commit(originOf(context), [
    {
      action: 'audit.proof_read',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { from: String(from), to: String(end) },
    },
  ]);
  return { from, to: end, hashes };
}
