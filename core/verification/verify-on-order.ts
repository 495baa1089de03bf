import { SLICE, type VerificationParts } from './verification-parts.ts';
import type { VerificationKind } from './verification-state.ts';
import { type JobLimits, tellFailure, type VerificationResult } from './verify-due.ts';
import { verifyWorkspaceSlice } from './verify-workspace-slice.ts';

/**
 * Verifies one workspace now, whether it is due or not, until its end or until the time is up; the job finishes what is left.
 * A run of the kind that is under way is continued.
 */
export async function verifyOnOrder(
  parts: VerificationParts,
  workspaceId: string,
  kind: VerificationKind,
  { mayGoOn, slice = SLICE }: JobLimits,
): Promise<VerificationResult | undefined> {
  let isOrdered = false;
  while (mayGoOn()) {
    const { workspace, finished } = await verifyWorkspaceSlice(
      parts,
      workspaceId,
      ({ run }) => (isOrdered || run?.kind === kind || run?.kind === 'complete' ? undefined : { kind }),
      slice,
    );
    isOrdered = true;
    if (workspace.status === 'failed') {
      await tellFailure(parts.alerts, workspaceId, workspace.failures, kind);
      return { workspaceId, kind, error: workspace.error };
    }
    if (finished !== undefined) return { workspaceId, kind: finished.kind, findings: finished.findings };
    if (workspace.status !== 'worked') return undefined;
  }
  return undefined;
}
