import type { Ledger } from '../audit/ledger.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { underLease } from '../verification/under-lease.ts';
import type { AnomalyStates, WorkspaceProfile } from './anomaly-states.ts';
import { openActors, saveActors } from './batch-actors.ts';
import { allDetectors, type Detectors } from './detectors.ts';
import type { Locations } from './locations.ts';
import { type Observed, observeRows } from './observe-rows.ts';
import { closeStates, Faults, newWorkspaceProfile, openStates, readWorkspaceProfile } from './profiles.ts';
import { type Batch, behind, knownBatch, newBatch, positionsAt } from './read-batch.ts';
import { effectiveSettings, readSettingsInEffect, settingsRevision } from './settings.ts';

export interface AnomalyParts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly states: AnomalyStates;
  readonly locations: Locations;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Records an alert; the same again (by its occurrence) has no effect.
   *
   * @throws VaultError when it could not be recorded, or perhaps was: the rows are then looked at again.
   */
  readonly record: (alert: Alert) => Promise<void>;
  /** Where it is told that a workspace cannot be looked at. */
  readonly alerts: Alerts;
  /** @default {@link allDetectors} */
  readonly detectors?: Detectors;
}

/** What came of one batch of a workspace. */
export interface Detected {
  /** `idle`: there is nothing new. `busy`: another run is at work. */
  readonly status: 'idle' | 'busy' | 'worked' | 'failed';
  /** Rows that the detectors looked at. */
  readonly rows: number;
  readonly alerts: number;
  /** What went wrong and kept nobody from the work, and how often. */
  readonly faults: ReadonlyMap<string, number>;
  /** Whether it is worth looking again at once. */
  readonly more: boolean;
  /** The time of the oldest row that is still to be looked at, in epoch milliseconds, where it is known that there is one. */
  readonly waitingSince?: number;
  readonly error?: unknown;
}

/** Rows in one batch: what is held in memory, and what a crash makes to be looked at again. */
const BATCH = 2_000;
/** How far back a workspace is learned from at first: what the seasonal baselines remember. */
const LEARNED_DAYS = 8 * 7;
/** Batches that fail in a row before somebody is told: the store may be down for a while. */
const FAILURES_TOLD = 3;

/**
 * Looks at the rows of a workspace that are new, at most one batch of them, and records an alert for each finding.
 *
 * Each row counts once in every state, wherever a run dies. The batch is fixed before it is begun: whoever repeats it
 * has the same rows in the same order. Then, in this order: the alerts are recorded, each for an occurrence, so that a
 * repetition has no effect; the actors' profiles are saved, each with the last row that it knows, so that a repetition
 * skips those; the cursor moves, in one write with the states of the workspace as a whole. All of these writes are
 * compare-and-swap, so of two runs at once one gives up.
 *
 * @param limit rows in the batch.
 */
export async function detectWorkspace(
  parts: AnomalyParts,
  workspaceId: string,
  limit = BATCH,
): Promise<Detected> {
  const faults = new Faults();
  let isNew = false;
  let batch: Batch = { rows: [], through: {}, more: false };
  let observed: Observed | undefined;
  const worked = await underLease<WorkspaceProfile>(
    parts.clock,
    {
      read: async () => {
        const stored = await parts.states.read(workspaceId);
        const profile = readWorkspaceProfile(stored, faults);
        isNew = profile === undefined;
        return profile ?? firstProfile(parts, workspaceId, stored?.version ?? 0);
      },
      replace: (next) => parts.states.replace(workspaceId, next),
    },
    async (profile) => {
      batch = await batchOf(parts, workspaceId, profile, limit);
      if (batch.rows.length === 0 && profile.through === undefined && !isNew) return undefined;
      const settings = profile.settings ?? (await readSettingsInEffect(parts.store, workspaceId)).detectors;
      return { ...profile, settings, through: batch.through };
    },
    async (profile) => {
      const { observed: seen, after } = await workOn(parts, workspaceId, profile, batch, faults);
      observed = seen;
      return after;
    },
  );
  const { status } = worked;
  if (status === 'failed') await tellFailure(parts.alerts, workspaceId, worked.failures);
  const isDone = status === 'worked';
  const waiting = isDone ? (timeOf(observed?.left) ?? batch.following) : timeOf(batch.rows[0]);
  return {
    status,
    rows: isDone ? (observed?.rows ?? 0) : 0,
    alerts: isDone ? (observed?.alerts.length ?? 0) : 0,
    faults: faults.counts,
    more: isDone && (batch.more || observed?.left !== undefined),
    ...(waiting === undefined ? {} : { waitingSince: waiting }),
    ...(status === 'failed' ? { error: worked.error } : {}),
  };
}

/**
 * Where a workspace begins: with what lies before a day ago, the detectors learn what is usual. To raise alerts about
 * it would be a flood of old news.
 */
async function firstProfile(
  { ledger, clock, random }: AnomalyParts,
  workspaceId: string,
  version: number,
): Promise<WorkspaceProfile> {
  const now = clock.now();
  return newWorkspaceProfile(version, {
    generation: Buffer.from(random.bytes(8)).toString('hex'),
    next: await positionsAt(ledger, workspaceId, now - LEARNED_DAYS * DAY_MS),
    raiseFrom: now - DAY_MS,
  });
}

function batchOf(
  { ledger }: AnomalyParts,
  workspaceId: string,
  { next, through }: WorkspaceProfile,
  limit: number,
): Promise<Batch> {
  return through === undefined
    ? newBatch(ledger, workspaceId, next, limit)
    : knownBatch(ledger, workspaceId, next, through);
}

async function workOn(
  parts: AnomalyParts,
  workspaceId: string,
  profile: WorkspaceProfile,
  batch: Batch,
  faults: Faults,
): Promise<{ readonly observed: Observed; readonly after: WorkspaceProfile }> {
  const { detectors = allDetectors, locations } = parts;
  const workspace = openStates(detectors, 'workspace', profile.states, faults);
  const actors = await openActors(parts.states, detectors, workspaceId, profile, batch, faults);
  const { through = {}, settings: judgedBy = {}, ...rest } = profile;
  const settings = effectiveSettings(detectors, judgedBy);
  const newest = await newestSettings(parts, workspaceId, batch);
  const { raiseFrom } = profile;
  const newestRevision = newest?.revision ?? 0;
  const watch = { detectors, settings, locations, workspace, actors, raiseFrom, newestRevision, faults };
  const observed = observeRows(watch, batch.rows, profile.told);
  for (const alert of observed.alerts) await parts.record(alert);
  await saveActors(parts.states, detectors, workspaceId, profile, batch, actors, faults);
  const { told } = observed;
  const states = closeStates(detectors, 'workspace', workspace, faults);
  const hasStopped = observed.left !== undefined;
  return {
    observed,
    after: {
      ...rest,
      told,
      states,
      next: behind(profile.next, hasStopped ? observed.passed : through),
      ...(hasStopped ? { through } : {}),
      settings: observed.changesSettings ? (newest?.detectors ?? {}) : judgedBy,
    },
  };
}

/** Read after the rows, so that no row among them can be newer; not at all where none of them changed anything. */
async function newestSettings({ store }: AnomalyParts, workspaceId: string, { rows }: Batch) {
  const isChanged = rows.some(({ content }) => settingsRevision(content) !== undefined);
  return isChanged ? readSettingsInEffect(store, workspaceId) : undefined;
}

function timeOf(row: Batch['rows'][number] | undefined): number | undefined {
  return row && Date.parse(row.content.ts);
}

async function tellFailure(alerts: Alerts, workspaceId: string, failures: number): Promise<void> {
  // Told again after as many more: nobody watches the workspace meanwhile.
  if (failures % FAILURES_TOLD !== 0) return;
  await alerts.raise({
    tier: 'critical',
    kind: 'job_failed',
    workspaceId,
    subject: `anomaly detection of ${workspaceId}`,
    detail: { job: 'anomaly', failures: String(failures) },
  });
}
