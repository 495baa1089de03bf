import type { Alerts } from '../detection/alert.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { scanSlice } from './scan-entities.ts';
import { dueRun } from './schedule.ts';
import { SLICE, type VerificationParts } from './verification-parts.ts';
import type { Findings, VerificationKind } from './verification-state.ts';
import { verifyWorkspaceSlice } from './verify-workspace-slice.ts';

/** What came to its end in one run of the job. */
export interface VerificationResult {
  readonly workspaceId: string;
  readonly kind: VerificationKind | 'entities';
  /** Absent where the verification itself failed. */
  readonly findings?: Findings;
  readonly error?: unknown;
}

export interface JobLimits {
  /** Asked before each slice. */
  readonly mayGoOn: () => boolean;
  readonly slice?: number;
}

/** Slices that fail in a row before somebody is told: the store may be down for a while. */
const FAILURES_TOLD = 3;
/** What the scan is called beside the workspaces. */
const DEPLOYMENT = '';

/**
 * Goes on with all verifications that are under way or due, slice by slice in turn, until nothing is left or the time is
 * up. A workspace that cannot be verified is set aside until the next run, and keeps no other from its turn.
 */
export async function* verifyDue(
  parts: VerificationParts,
  { mayGoOn, slice = SLICE }: JobLimits,
): AsyncGenerator<VerificationResult> {
  const setAside = new Set<string>();
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for await (const subject of subjects(parts)) {
      if (setAside.has(subject)) continue;
      if (!mayGoOn()) return;
      const { result, more } =
        subject === DEPLOYMENT ? await scan(parts, slice) : await verify(parts, subject, slice);
      if (result !== undefined) yield result;
      if (more) isOver = false;
      else setAside.add(subject);
    }
  }
}

/** The scan first: it finds the workspaces. */
async function* subjects({ verifications }: VerificationParts): AsyncGenerator<string> {
  yield DEPLOYMENT;
  yield PLATFORM_WORKSPACE;
  for await (const page of verifications.workspaces())
    yield* page.filter((workspaceId) => workspaceId !== PLATFORM_WORKSPACE);
}

interface Turn {
  readonly result?: VerificationResult;
  /** Whether there may be more to do in this run of the job. */
  readonly more: boolean;
}

async function scan(parts: VerificationParts, slice: number): Promise<Turn> {
  const worked = await scanSlice(parts, slice);
  const about = { workspaceId: PLATFORM_WORKSPACE, kind: 'entities' } as const;
  if (worked.status === 'failed') {
    await tellFailure(parts.alerts, PLATFORM_WORKSPACE, worked.failures, 'entities');
    return { result: { ...about, error: worked.error }, more: false };
  }
  if (worked.status !== 'worked') return { more: false };
  const { run, last } = worked.state;
  if (run !== undefined || last === undefined) return { more: true };
  return { result: { ...about, findings: last.findings }, more: false };
}

async function verify(parts: VerificationParts, workspaceId: string, slice: number): Promise<Turn> {
  let kind: VerificationKind = 'incremental';
  const { workspace, finished } = await verifyWorkspaceSlice(
    parts,
    workspaceId,
    (state) => {
      const due = state.run === undefined ? dueRun(state, parts.clock.now()) : undefined;
      kind = state.run?.kind ?? due ?? kind;
      return due === undefined ? undefined : { kind: due };
    },
    slice,
  );
  if (workspace.status === 'failed') {
    await tellFailure(parts.alerts, workspaceId, workspace.failures, kind);
    return { result: { workspaceId, kind, error: workspace.error }, more: false };
  }
  if (finished !== undefined)
    return { result: { workspaceId, kind: finished.kind, findings: finished.findings }, more: false };
  return { more: workspace.status === 'worked' };
}

/** Told again after as many more: nobody watches the workspace meanwhile. */
export async function tellFailure(
  alerts: Alerts,
  workspaceId: string,
  failures: number,
  kind: VerificationResult['kind'],
): Promise<void> {
  if (failures % FAILURES_TOLD !== 0) return;
  await alerts.raise({
    tier: 'critical',
    kind: 'job_failed',
    workspaceId,
    subject: `verification of ${workspaceId}`,
    detail: { verification: kind, failures: String(failures) },
  });
}
