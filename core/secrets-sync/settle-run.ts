import { systemOrigin } from '../audit/lane-start.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { SyncFault } from './customer-secrets.ts';
import { remedyFor } from './fault-remedies.ts';
import { type SecretsSync, targetText } from './secrets-sync.ts';
import { type CopyNote, MAX_PROBLEMS, type SyncState } from './sync-records.ts';
import { type CopyOutcome, SYNC_JOB, type SyncParts } from './sync-run.ts';

const MINUTE_MS = 60_000;
const LONGEST_WAIT_MS = 60 * MINUTE_MS;
/** A little less than the time between two runs, so that the next one does not come a moment too early. */
const FIRST_WAIT_MS = 4 * MINUTE_MS;
/** Failures in a row, of a run or of one copy, that people are told of. */
const TELL_AFTER = 3;

type Problem = SyncState['problems'][number];

/**
 * What is known after a run that got nowhere, and the row that says so. The waits double from the next run to an hour.
 *
 * @throws VaultError `unavailable` when the row cannot be written.
 */
export async function settleFailedRun(
  parts: SyncParts,
  sync: SecretsSync,
  { failing: earlier, ...state }: SyncState,
  reason: SyncFault,
): Promise<SyncState> {
  const now = parts.clock.now();
  const attempts = (earlier?.attempts ?? 0) + 1;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 10), LONGEST_WAIT_MS);
  const failing = { since: earlier?.since ?? now, attempts, nextAttemptAt: now + wait, reason };
  await parts.trail.commit(systemOrigin(sync.workspaceId, SYNC_JOB), [
    {
      action: 'secrets_sync.failed',
      entity: { type: 'secrets_sync', id: sync.workspaceId },
      result: 'failure',
      detail: { reason, attempts: String(attempts), target: targetText(parts.syncSite, sync) },
    },
  ]);
  if (attempts >= TELL_AFTER) {
    await tell(parts, sync, reason, `no copy has been brought up to date since ${timestamp(failing.since)}`);
  }
  return { ...state, failing };
}

export interface WorkedCopies {
  readonly inPlace: number;
  readonly waiting: readonly CopyNote[];
  readonly outcomes: readonly CopyOutcome[];
  /** Whether everything was gone through. */
  readonly isComplete: boolean;
}

/** What is known after a run that could work on copies. Where all that it tried failed, it got nowhere. */
export async function settleCopies(
  parts: SyncParts,
  sync: SecretsSync,
  { failing, ...earlier }: SyncState,
  { inPlace, waiting, outcomes, isComplete }: WorkedCopies,
): Promise<SyncState> {
  const failed = outcomes.filter((one) => one.outcome === 'failed');
  const succeeded = outcomes.filter(({ outcome }) => outcome === 'copied' || outcome === 'in_place').length;
  const problems: Problem[] = [
    ...failed.map(({ due, fault }) => ({ ...due, reason: fault })),
    ...waiting.flatMap(({ secretId, name, failing: known }) =>
      known === undefined ? [] : [{ secretId, name, reason: known.reason }],
    ),
  ];
  const state: SyncState = {
    ...earlier,
    copies: inPlace + succeeded,
    faults: problems.length,
    problems: problems.slice(0, MAX_PROBLEMS),
    ...(isComplete ? { finishedAt: parts.clock.now() } : {}),
  };
  const [first] = failed;
  if (!isComplete && first !== undefined && failed.length === outcomes.length) {
    return settleFailedRun(
      parts,
      sync,
      { ...state, ...(failing === undefined ? {} : { failing }) },
      first.fault,
    );
  }
  const told = failed.find(({ attempts }) => attempts >= TELL_AFTER);
  if (told !== undefined) {
    const { fault, due, attempts } = told;
    const what = `the copy ${due.name} failed ${attempts} times in a row, and ${problems.length} fail in all`;
    await tell(parts, sync, fault, what, { secretId: due.secretId, copy: due.name });
  }
  return state;
}

async function tell(
  { alerts, syncSite }: SyncParts,
  sync: SecretsSync,
  reason: SyncFault,
  what: string,
  detail: { readonly [key: string]: string } = {},
): Promise<void> {
  const target = targetText(syncSite, sync);
  await alerts.raise({
    tier: 'warning',
    kind: 'secrets_sync_failing',
    workspaceId: sync.workspaceId,
    subject: `secrets sync to ${target}`,
    seen: `Secrets do not reach Secrets Manager in ${target}: ${what}. ${remedyFor(reason)}`,
    usual: 'A changed secret is there within minutes.',
    detail: { reason, target, ...detail },
  });
}
