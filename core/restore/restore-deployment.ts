import { systemOrigin } from '../audit/lane-start.ts';
import { instantName } from '../backup/layout.ts';
import type { Backup } from '../backup/read-manifest.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { newSessionGroup } from '../members/membership.ts';
import type { Reconciled } from './commit-decisions.ts';
import type { KnownRows } from './decide.ts';
import { type Loaded, loadBackup } from './load-backup.ts';
import { type OpenedSamples, openSamples } from './open-samples.ts';
import { type ReconcileParts, reconcileWorkspace } from './reconcile-workspace.ts';
import { findWorkspaces, refillRows } from './refill-rows.ts';
import { RESTORER, type RestoreParts } from './restore-parts.ts';
import type { LaneEnds, TableSetting } from './restore-tables.ts';
import { type Scanned, scanRestored } from './scan-entities.ts';
import { type RestoredVerdict, verifyRestored } from './verify-restored.ts';

export const RESTORE_STEPS = ['load', 'refill', 'reconcile', 'settings', 'samples', 'verify'] as const;
export type RestoreStep = (typeof RESTORE_STEPS)[number];

export interface RestoreOptions {
  /** Whether an earlier run of the same restore may be gone on with. */
  readonly isResumed: boolean;
  /** Secrets to open in each workspace, at most. */
  readonly samples: number;
  /** Told when a step is over, with the milliseconds that it took. */
  readonly onStep?: (step: RestoreStep, durationMs: number) => void;
}

export interface RestoreReport {
  readonly backup: Backup;
  /** In milliseconds. */
  readonly steps: ReadonlyMap<RestoreStep, number>;
  /** Absent where an earlier run had loaded everything. */
  readonly loaded: Loaded['tables'];
  readonly workspaces: number;
  /** Rows that the archive had and the backup had not. */
  readonly refilled: number;
  readonly reconciled: readonly Reconciled[];
  readonly scanned: Scanned;
  readonly settings: readonly TableSetting[];
  readonly samples: OpenedSamples;
  readonly verdicts: readonly RestoredVerdict[];
  /** Whether every chain is whole, and every sample could be opened. */
  readonly isGood: boolean;
}

/**
 * Brings a backup of both tables back to one instant, into empty tables: loads it, puts back the rows that only the
 * archive has, brings each entity into line with its rows, and then looks whether all of it is whole and can be opened.
 *
 * Nothing else may write to the tables meanwhile. A run that died is repeated with `isResumed`; of one that came to its
 * end, a repetition changes nothing but to look once more.
 *
 * @throws RestoreRefused, BackupFault where a person has to decide; VaultError `unavailable`: repeat it.
 */
export async function restoreDeployment(
  parts: RestoreParts,
  backup: Backup,
  { isResumed, samples: count, onStep }: RestoreOptions,
): Promise<RestoreReport> {
  const steps = new Map<RestoreStep, number>();
  const step = async <T>(name: RestoreStep, work: () => Promise<T>): Promise<T> => {
    const startedAt = parts.clock.now();
    const result = await work();
    steps.set(name, parts.clock.now() - startedAt);
    onStep?.(name, steps.get(name) ?? 0);
    return result;
  };
  const again = <T>(work: () => Promise<T>) => persistently(parts, work);

  // Not repeated by itself: what was lost of a write is found by a run that looks for it.
  const loaded = await step('load', () => loadBackup(parts, backup, isResumed));
  const lanes = await step('refill', () => refillAll(parts));
  const { reconciled, scanned, registered } = await step('reconcile', () =>
    reconcileAll(parts, lanes.ends, count),
  );
  const settings = await step('settings', () => again(() => parts.settings.apply()));
  const samples = await step('samples', () => again(() => openSamples(parts, scanned.samples)));
  const workspaces = new Set([...lanes.ends.keys(), ...registered]);
  const verdicts = await step('verify', async () => {
    const found: RestoredVerdict[] = [];
    for (const workspaceId of workspaces) found.push(await again(() => verifyRestored(parts, workspaceId)));
    return found;
  });
  const isGood = samples.failures.length === 0 && verdicts.every(({ findings }) => findings.broken === 0);
  const report: RestoreReport = {
    backup,
    steps,
    loaded: loaded.tables,
    workspaces: workspaces.size,
    refilled: lanes.refilled,
    reconciled,
    scanned,
    settings,
    samples,
    verdicts,
    isGood,
  };
  await again(() => record(parts, report));
  return report;
}

async function refillAll(
  parts: RestoreParts,
): Promise<{ readonly ends: ReadonlyMap<string, LaneEnds>; readonly refilled: number }> {
  const ends = new Map<string, LaneEnds>();
  let refilled = 0;
  for (const workspaceId of await persistently(parts, () => findWorkspaces(parts))) {
    const filled = await persistently(parts, () => refillRows(parts, workspaceId));
    ends.set(workspaceId, filled.ends);
    refilled += filled.rows;
  }
  return { ends, refilled };
}

async function reconcileAll(
  parts: RestoreParts,
  ends: ReadonlyMap<string, LaneEnds>,
  samples: number,
): Promise<{
  readonly reconciled: readonly Reconciled[];
  readonly scanned: Scanned;
  readonly registered: ReadonlySet<string>;
}> {
  const { random, clock } = parts;
  const reconciled: Reconciled[] = [];
  const reconcileParts = {
    ...parts,
    now: clock.now(),
    newSessionGroup: () => newSessionGroup(random),
    onReconciled: (one: Reconciled) => void reconciled.push(one),
  } satisfies ReconcileParts;
  const known = new Map<string, KnownRows>();
  const registered = new Set<string>();
  for (const [workspaceId, laneEnds] of ends) {
    const done = await persistently(parts, () => reconcileWorkspace(reconcileParts, workspaceId, laneEnds));
    known.set(workspaceId, done.rows);
    for (const id of workspaceId === PLATFORM_WORKSPACE ? done.registered : []) registered.add(id);
  }
  const rowsOf = (workspaceId: string): KnownRows =>
    known.get(workspaceId) ?? { workspaceId, ends: {}, extraLanes: 0, floor: undefined };
  const scanned = await persistently(parts, () => scanRestored(reconcileParts, rowsOf, samples));
  return { reconciled, scanned, registered };
}

async function record({ trail, clock }: RestoreParts, report: RestoreReport): Promise<void> {
  const { backup, steps, refilled, reconciled, samples, verdicts, isGood } = report;
  const broken = verdicts.reduce((sum, { findings }) => sum + findings.broken, 0);
  const seconds = Math.round([...steps.values()].reduce((sum, taken) => sum + taken, 0) / 1000);
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, RESTORER), [
    {
      action: 'restore.completed',
      entity: { type: 'backup', id: instantName(backup.instant) },
      result: isGood ? 'success' : 'failure',
      detail: {
        vaultItems: String(backup.tables.vault.itemCount),
        auditItems: String(backup.tables.audit.itemCount),
        workspaces: String(report.workspaces),
        rowsRefilled: String(refilled),
        entitiesReconciled: String(reconciled.length),
        samplesOpened: String(samples.opened),
        samplesFailed: String(samples.failures.length),
        breaks: String(broken),
        seconds: String(seconds),
        at: new Date(clock.now()).toISOString(),
      },
    },
  ]);
}

/** Attempts at a step that a store does not answer to, each after a longer wait. */
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;

/** Does a step again that is safe to repeat. */
async function persistently<T>({ clock }: Pick<RestoreParts, 'clock'>, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const isWorthIt = error instanceof VaultError && error.code === 'unavailable' && attempt < ATTEMPTS;
      if (!isWorthIt) throw error;
      await clock.sleep(FIRST_WAIT_MS * 2 ** (attempt - 1));
    }
  }
}
