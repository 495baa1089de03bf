import type { Break } from '../audit/verify-lane.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { addFindings } from '../verification/findings.ts';
import { hasRows, recordOutcome } from '../verification/record-outcome.ts';
import { SLICE, type VerificationParts } from '../verification/verification-parts.ts';
import type { Findings, VerificationRun } from '../verification/verification-state.ts';
import { startRun, verifySlice } from '../verification/verify-slice.ts';

export interface RestoredVerdict {
  readonly workspaceId: string;
  readonly findings: Findings;
}

const NOTHING_VERIFIED = { lanes: {} };

/**
 * Verifies a workspace completely: its rows, the entities that they name, the tree up to the signed head, and the
 * archive. Records the outcome in its trail, and raises the alarm over a break.
 *
 * Rows that wait for the sealer are no break here: it is held until the restore is over.
 */
export async function verifyRestored(
  parts: VerificationParts,
  workspaceId: string,
): Promise<RestoredVerdict> {
  let run = await startRun(parts, workspaceId, NOTHING_VERIFIED, 'complete');
  for (let done = false; !done; ) {
    const after = await verifySlice(parts, workspaceId, run, NOTHING_VERIFIED, SLICE);
    ({ done } = after);
    run = { ...after.run, findings: withoutWaiting(after.run) };
  }
  const isThere = workspaceId === PLATFORM_WORKSPACE || (await hasRows(parts, workspaceId));
  const vanished: readonly Break[] = isThere ? [] : [{ lane: 0, seq: 1, reason: 'missing_row' }];
  const findings = addFindings(run.findings, {}, vanished);
  const { rows, tree } = run;
  const outcome = { kind: 'complete', findings, head: rows.heads['0'], treeSize: tree?.tree.size } as const;
  await recordOutcome(parts, workspaceId, outcome);
  return { workspaceId, findings };
}

/** At most one such break comes with each lane, in the last slice of the tree. */
function withoutWaiting({ findings }: VerificationRun): Findings {
  const breaks = findings.breaks.filter(({ reason }) => reason !== 'unsealed');
  const waiting = findings.breaks.length - breaks.length;
  return { ...findings, broken: findings.broken - waiting, breaks };
}
