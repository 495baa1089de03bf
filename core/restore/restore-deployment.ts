import { systemOrigin } from '../audit/lane-start.ts';
import { instantName } from '../backup/layout.ts';
import type { Backup } from '../backup/read-manifest.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { newSessionGroup } from '../members/membership.ts';
import { type BelievedRows, believedRows } from './believed-rows.ts';
import { checkArchive } from './check-archive.ts';
import type { Reconciled } from './commit-decisions.ts';
import type { KnownRows } from './decide.ts';
import { type Loaded, loadBackup } from './load-backup.ts';
import { type OpenedSamples, openSamples } from './open-samples.ts';
import { knownRows, type ReconcileParts, reconcileWorkspace } from './reconcile-workspace.ts';
import { findWorkspaces, refillRows } from './refill-rows.ts';
import { RESTORER, type RestoreParts } from './restore-parts.ts';
import type { RefilledRows, TableSetting } from './restore-tables.ts';
import { type Scanned, scanRestored } from './scan-entities.ts';
import { type RestoredVerdict, verifyRestored } from './verify-restored.ts';

export const RESTORE_STEPS = [
  'load',
  'refill',
  'compare',
  'reconcile',
  'settings',
  'samples',
  'verify',
] as const;
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
  /** Rows of the backup that no signed head covers. */
  readonly unsealed: number;
  readonly reconciled: readonly Reconciled[];
  /** What runs before this one reconciled. */
  readonly earlier: readonly Reconciled[];
  readonly scanned: Scanned;
  readonly settings: readonly TableSetting[];
  readonly samples: OpenedSamples;
  readonly verdicts: readonly RestoredVerdict[];
  /** Whether every chain is whole, every sample opened that may be, and nothing was altered by somebody. */
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
  await checkArchive(parts);
  const loaded = await step('load', () => loadBackup(parts, backup, isResumed));
  const refilled = await step('refill', () => refillAll(parts));
  const believed = await step('compare', () => believeAll(parts, refilled));
  const { reconciled, earlier, scanned, registered } = await step('reconcile', () =>
    reconcileAll(parts, refilled, believed, count),
  );
  const settings = await step('settings', () => again(() => parts.settings.apply()));
  const samples = await step('samples', () => again(() => openSamples(parts, scanned.samples)));
  const workspaces = new Set([...refilled.keys(), ...registered]);
  const verdicts = await step('verify', async () => {
    const found: RestoredVerdict[] = [];
    const sealerAt = Math.max(0, ...[...refilled.values()].map(({ sealedUntil }) => sealedUntil));
    for (const workspaceId of workspaces) {
      const broughtBack = { ends: refilled.get(workspaceId)?.ends ?? {}, sealerAt };
      found.push(await again(() => verifyRestored(parts, workspaceId, broughtBack)));
    }
    return found;
  });
  const isGood =
    samples.failures.length === 0 &&
    verdicts.every(({ findings }) => findings.broken === 0) &&
    scanned.left === 0 &&
    [...earlier, ...reconciled].every(({ discord }) => discord !== 'unexplained');
  const report: RestoreReport = {
    backup,
    steps,
    loaded: loaded.tables,
    workspaces: workspaces.size,
    refilled: [...refilled.values()].reduce((sum, rows) => sum + rows.refilled, 0),
    unsealed: [...believed.values()].reduce((sum, rows) => sum + rows.unsealed, 0),
    reconciled,
    earlier,
    scanned,
    settings,
    samples,
    verdicts,
    isGood,
  };
  await again(() => record(parts, report));
  return report;
}

async function refillAll(parts: RestoreParts): Promise<ReadonlyMap<string, RefilledRows>> {
  const refilled = new Map<string, RefilledRows>();
  for (const workspaceId of await persistently(parts, () => findWorkspaces(parts)))
    refilled.set(workspaceId, await persistently(parts, () => refillRows(parts, workspaceId)));
  return refilled;
}

async function believeAll(
  parts: RestoreParts,
  refilled: ReadonlyMap<string, RefilledRows>,
): Promise<ReadonlyMap<string, BelievedRows>> {
  const believed = new Map<string, BelievedRows>();
  for (const [workspaceId, rows] of refilled)
    believed.set(workspaceId, await persistently(parts, () => believedRows(parts, workspaceId, rows)));
  return believed;
}

async function reconcileAll(
  parts: RestoreParts,
  refilled: ReadonlyMap<string, RefilledRows>,
  believed: ReadonlyMap<string, BelievedRows>,
  samples: number,
): Promise<{
  readonly reconciled: readonly Reconciled[];
  readonly earlier: readonly Reconciled[];
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
  const earlier: Reconciled[] = [];
  for (const [workspaceId, { ends }] of refilled) {
    const rows = knownRows(reconcileParts, workspaceId, ends, believed.get(workspaceId) ?? NO_ROWS);
    const done = await persistently(parts, () => reconcileWorkspace(reconcileParts, workspaceId, rows));
    known.set(workspaceId, done.rows);
    earlier.push(...done.earlier);
    for (const id of workspaceId === PLATFORM_WORKSPACE ? done.registered : []) registered.add(id);
  }
  const rowsOf = (workspaceId: string): KnownRows =>
    known.get(workspaceId) ?? knownRows(reconcileParts, workspaceId, {}, NO_ROWS);
  const scanned = await persistently(parts, () => scanRestored(reconcileParts, rowsOf, samples));
  // What an attempt of this run did is found in the rows by the next one.
  const own = new Set(reconciled.map(keyOf));
  return { reconciled, earlier: earlier.filter((one) => !own.has(keyOf(one))), scanned, registered };
}

function keyOf({ workspaceId, kind, id, outcome }: Reconciled): string {
  return JSON.stringify([workspaceId, kind, id, outcome]);
}

/** Of a workspace that has none. */
const NO_ROWS = { isBelieved: () => true, floor: undefined };

async function record({ trail, clock }: RestoreParts, report: RestoreReport): Promise<void> {
  const { backup, steps, refilled, samples, verdicts, isGood } = report;
  const reconciled = [...report.earlier, ...report.reconciled];
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
        rowsUnsealed: String(report.unsealed),
        entitiesReconciled: String(reconciled.length),
        samplesOpened: String(samples.opened),
        samplesFailed: String(samples.failures.length),
        samplesLeftOut: String(samples.leftOut),
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
