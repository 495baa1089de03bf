import { readRow } from '../audit/build-rows.ts';
import type { Break } from '../audit/verify-lane.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { addFindings } from '../verification/findings.ts';
import { hasRows, recordOutcome } from '../verification/record-outcome.ts';
import { SLICE, type VerificationParts } from '../verification/verification-parts.ts';
import type { Findings, VerificationRun } from '../verification/verification-state.ts';
import { startRun, verifySlice } from '../verification/verify-slice.ts';
import { MAX_UNSEALED_MS } from '../verification/verify-tree.ts';
import type { LaneEnds } from './restore-tables.ts';

export interface RestoredVerdict {
  readonly workspaceId: string;
  readonly findings: Findings;
}

const NOTHING_VERIFIED = { lanes: {} };

/** What is known of a workspace's rows that were brought back. */
interface BroughtBack {
  readonly ends: LaneEnds;
  /** When the sealer is known to have been at work last, epoch milliseconds. */
  readonly sealerAt: number;
}

/**
 * Verifies a workspace completely: its rows, the entities that they name, the tree up to the signed head, and the
 * archive. Records the outcome in its trail, and raises the alarm over a break.
 *
 * Rows that wait for the sealer are no break here: it is held until the restore is over. One that the sealer would have
 * sealed while it was still at work is: then it was not in the table.
 */
export async function verifyRestored(
  parts: VerificationParts,
  workspaceId: string,
  broughtBack: BroughtBack,
): Promise<RestoredVerdict> {
  let run = await startRun(parts, workspaceId, NOTHING_VERIFIED, 'complete');
  for (let done = false; !done; ) {
    const after = await verifySlice(parts, workspaceId, run, NOTHING_VERIFIED, SLICE);
    ({ done } = after);
    run = { ...after.run, findings: await withoutWaiting(parts, workspaceId, after.run, broughtBack) };
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
async function withoutWaiting(
  { ledger }: Pick<VerificationParts, 'ledger'>,
  workspaceId: string,
  { findings }: VerificationRun,
  { ends, sealerAt }: BroughtBack,
): Promise<Findings> {
  const breaks: Break[] = [];
  for (const found of findings.breaks) {
    const { lane, seq, reason } = found;
    const isOurs = seq > (ends[lane] ?? 0);
    const row = reason === 'unsealed' && !isOurs ? await ledger.row({ workspaceId, lane }, seq) : undefined;
    const ts = row && readRow(row)?.ts;
    const isMissed = ts !== undefined && Date.parse(ts) + MAX_UNSEALED_MS < sealerAt;
    if (reason !== 'unsealed' || isMissed) breaks.push(found);
  }
  const waiting = findings.breaks.length - breaks.length;
  return { ...findings, broken: findings.broken - waiting, breaks };
}
