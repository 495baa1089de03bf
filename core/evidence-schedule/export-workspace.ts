import { ArchiveFault, conflict } from '../archive/archive-fault.ts';
import { dayStart } from '../archive/day.ts';
import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alerts } from '../detection/alert.ts';
import { update } from '../kernel/entity.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { DAY_MS, timestamp } from '../kernel/timestamps.ts';
import { logPrefix } from '../seal/log-origin.ts';
import { TileError } from '../transparency/tiles.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { archivedPeriod } from './archived-period.ts';
import { type EvidenceSchedule, evidenceScheduleKind } from './evidence-schedule.ts';
import { type ExportedPart, exportPart, type PartParts } from './export-part.ts';
import { type Period, periodOf } from './period.ts';
import { entityOf, readSchedule } from './schedule-evidence.ts';

export interface ExportParts extends PartParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly alerts: Alerts;
}

export interface ExportOutcome {
  /**
   * `current`: every period that is over is exported. `waiting`: the next one is not archived yet. `refused`: something was
   * tampered with. `interrupted`: the time was up.
   */
  readonly status: 'current' | 'waiting' | 'refused' | 'interrupted';
  /** Bundles that this run wrote, or found written and took over. */
  readonly bundles: number;
}

const JOB = 'evidence-export';
/** A period that is not archived so long after its end is one that somebody has to look after. */
const PATIENCE_MS = 2 * DAY_MS;

/**
 * Exports the evidence of each period of a workspace that is over, oldest first, part by part. A bundle is written before its
 * event, which remembers how far this is: a run that dies, or that somebody overtakes, is finished by the next, which finds
 * the bundle there.
 *
 * @param mayGoOn asked before each part.
 * @throws VaultError `unavailable`, `internal`; the next run goes on.
 */
export async function exportWorkspace(
  parts: ExportParts,
  workspaceId: string,
  mayGoOn: () => boolean = () => true,
): Promise<ExportOutcome> {
  let bundles = 0;
  for (;;) {
    const due = await duePeriod(parts, workspaceId);
    if (due === undefined) return { status: 'current', bundles };
    if (!mayGoOn()) return { status: 'interrupted', bundles };
    try {
      const exported = await exportNext(parts, due.schedule, due.period);
      if (exported === 'waiting') return { status: 'waiting', bundles };
      bundles += exported;
    } catch (error) {
      // Somebody set the schedule meanwhile, or another run did the same: see how it stands now.
      if (error instanceof RefusedChanges) continue;
      // A part of the log that is missing, or no such part.
      const fault =
        error instanceof TileError ? conflict(`${logPrefix(workspaceId)}tile/`, 'altered', error) : error;
      if (!(fault instanceof ArchiveFault)) throw error;
      const { kind, subject, reason } = fault;
      const detail = { job: JOB, reason, period: due.period.name };
      await parts.alerts.raise({ tier: 'critical', kind, workspaceId, subject, detail });
      return { status: 'refused', bundles };
    }
  }
}

/** The next period, if it is over; none for a workspace that is deleted. */
async function duePeriod({ store, clock }: ExportParts, workspaceId: string) {
  const schedule = await readSchedule(store, workspaceId);
  if (schedule === undefined) return undefined;
  const period = periodOf(schedule.every, schedule.nextFrom);
  if (clock.now() < dayStart(period.to)) return undefined;
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  return workspace === undefined || workspace.deletedAt !== undefined ? undefined : { schedule, period };
}

/** @returns how many bundles that were. */
async function exportNext(
  parts: ExportParts,
  schedule: EvidenceSchedule,
  period: Period,
): Promise<number | 'waiting'> {
  const archived = await archivedPeriod(parts.log, schedule.workspaceId, period);
  if (archived === undefined) {
    await warnOfWaiting(parts, schedule, period);
    return 'waiting';
  }
  const { lanes, checkpoint } = archived;
  if (checkpoint === undefined) {
    await record(parts, schedule, period, undefined);
    return 0;
  }
  await record(parts, schedule, period, await exportPart(parts, schedule, period, { lanes, checkpoint }));
  return 1;
}

/** @param exported none for a period without rows, of which there is nothing to show. */
async function record(
  { trail, clock }: ExportParts,
  schedule: EvidenceSchedule,
  { name, to }: Period,
  exported: ExportedPart | undefined,
): Promise<void> {
  const next =
    exported === undefined || exported.isLast
      ? { nextFrom: to, begun: undefined, exported: { period: name, at: timestamp(clock.now()) } }
      : { begun: { parts: exported.part, nextLeaf: exported.firstLeaf + exported.leaves } };
  await trail.commit(systemOrigin(schedule.workspaceId, JOB), [
    {
      action: 'evidence_schedule.exported',
      entity: entityOf(schedule.workspaceId),
      result: 'success',
      detail: { period: name, ...(exported === undefined ? { rows: '0' } : told(exported)) },
      changes: [update(evidenceScheduleKind, schedule, next)],
    },
  ]);
}

function told({ key, versionId, sha256, part, firstLeaf, leaves, treeSize, isLast }: ExportedPart) {
  return {
    key,
    versionId,
    sha256,
    part: String(part),
    rows: String(leaves),
    firstLeaf: String(firstLeaf),
    treeSize: String(treeSize),
    last: String(isLast),
  };
}

async function warnOfWaiting(
  { alerts, clock }: ExportParts,
  { workspaceId }: EvidenceSchedule,
  { name, to }: Period,
): Promise<void> {
  if (clock.now() < dayStart(to) + PATIENCE_MS) return;
  await alerts.raise({
    tier: 'warning',
    kind: 'job_failed',
    workspaceId,
    subject: `evidence of ${name}`,
    detail: { job: JOB, reason: 'not_archived' },
  });
}
