import { hash } from 'node:crypto';
import { DAY_MS } from '../kernel/timestamps.ts';
import { MAX_SKEW_MS } from './under-lease.ts';
import type { ScanVerification, VerificationKind, WorkspaceVerification } from './verification-state.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Verifications of a day are due from then on: the archive's and the retention's hours come after. */
const START_MS = 3 * HOUR_MS;
const DAYS = 7;

/** The last 03:00 UTC. */
export function dailyStart(now: number): number {
  return Math.floor((now - START_MS) / DAY_MS) * DAY_MS + START_MS;
}

/** The last 03:00 UTC of the workspace's day of the week: its name decides, so that the days share the work. */
export function weeklyStart(workspaceId: string, now: number): number {
  const day = hash('sha256', workspaceId, 'buffer').readUInt32BE() % DAYS;
  const today = dailyStart(now);
  const daysSince = (((Math.floor(today / DAY_MS) - day) % DAYS) + DAYS) % DAYS;
  return today - daysSince * DAY_MS;
}

/** What is due: a complete verification every week and at first, else an incremental one every day. */
export function dueRun(
  { workspaceId, last }: WorkspaceVerification,
  now: number,
): VerificationKind | undefined {
  const complete = begun(last.complete, now);
  if (complete < weeklyStart(workspaceId, now)) return 'complete';
  const latest = Math.max(complete, begun(last.incremental, now));
  return latest < dailyStart(now) ? 'incremental' : undefined;
}

/** The scan of all entities is due every day. */
export function isScanDue({ last }: ScanVerification, now: number): boolean {
  return begun(last, now) < dailyStart(now);
}

/** When a run began. One that began in the future never did: somebody wrote it down to silence the verifier. */
function begun(run: { readonly startedAt: number } | undefined, now: number): number {
  return run === undefined || run.startedAt > now + MAX_SKEW_MS ? 0 : run.startedAt;
}
