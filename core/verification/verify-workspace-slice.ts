import type { Break } from '../audit/verify-lane.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { addFindings } from './findings.ts';
import { hasRows, recordOutcome, verifiedBy } from './record-outcome.ts';
import { underLease, type Worked } from './under-lease.ts';
import type { VerificationParts } from './verification-parts.ts';
import {
  newVerification,
  type VerificationKind,
  type VerificationOutcome,
  type WorkspaceVerification,
} from './verification-state.ts';
import { startRun, verifySlice } from './verify-slice.ts';

/** Which run to start on a workspace that has none under way, or instead of the one under way. */
export type ChooseRun = (
  state: WorkspaceVerification,
) => { readonly kind: VerificationKind; readonly id?: string } | undefined;

export interface WorkspaceSlice {
  readonly workspace: Worked<WorkspaceVerification>;
  /** The run that this slice ended. */
  readonly finished?: VerificationOutcome;
}

/** Goes on with a workspace's verification by one slice, or starts one. */
export async function verifyWorkspaceSlice(
  parts: VerificationParts,
  workspaceId: string,
  choose: ChooseRun,
  slice: number,
): Promise<WorkspaceSlice> {
  const { verifications, clock } = parts;
  let finished: VerificationOutcome | undefined;
  const workspace = await underLease<WorkspaceVerification>(
    clock,
    {
      read: async () => (await verifications.read(workspaceId)) ?? newVerification(workspaceId),
      replace: (next) => verifications.replace(next),
    },
    async (state) => {
      const chosen = choose(state);
      if (chosen === undefined) return state.run === undefined ? undefined : state;
      const run = await startRun(parts, workspaceId, state.verified, chosen.kind, chosen.id);
      return { ...state, run };
    },
    async (state) => {
      if (state.run === undefined) return state;
      const { run, done } = await verifySlice(parts, workspaceId, state.run, state.verified, slice);
      if (!done) return { ...state, run };
      const after = await finish(parts, { ...state, run });
      finished = after.last[run.kind];
      return after;
    },
  );
  return workspace.status === 'worked' && finished !== undefined ? { workspace, finished } : { workspace };
}

async function finish(
  parts: VerificationParts,
  state: WorkspaceVerification,
): Promise<WorkspaceVerification> {
  const { workspaceId, run, ...rest } = state;
  if (run === undefined) return state;
  const findings = addFindings(run.findings, {}, await vanished(parts, workspaceId));
  const { id, kind, startedAt } = run;
  const { tree } = run;
  await recordOutcome(parts, workspaceId, {
    kind,
    findings,
    head: run.rows.heads['0'],
    treeSize: tree?.tree.size,
  });
  const outcome = { id, kind, startedAt, finishedAt: parts.clock.now(), findings };
  return {
    ...rest,
    workspaceId,
    // After a break the next run starts where this one did, and so tells of it again.
    verified: findings.broken === 0 ? verifiedBy(run) : rest.verified,
    last: { ...rest.last, [kind]: outcome },
  };
}

async function vanished(parts: VerificationParts, workspaceId: string): Promise<readonly Break[]> {
  if (workspaceId === PLATFORM_WORKSPACE || (await hasRows(parts, workspaceId))) return [];
  return [{ lane: 0, seq: 1, reason: 'missing_row' }];
}
