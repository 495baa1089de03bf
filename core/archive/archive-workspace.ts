import { readRow } from '../audit/build-rows.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { readFloor } from '../retention/floor.ts';
import { type ArchivedSoFar, archiveDay, type DayParts } from './archive-day.ts';
import { ArchiveFault, conflict } from './archive-fault.ts';
import { archivedHeads } from './archived-heads.ts';
import { type Day, dayEnd, dayOf, daysBefore, nextDay } from './day.ts';
import { manifestKey } from './manifest.ts';
import { newestManifest } from './read-manifests.ts';

export interface ArchiveParts extends DayParts {
  readonly store: Store;
  readonly alerts: Alerts;
  readonly clock: Clock;
}

export interface ArchiveOutcome {
  /**
   * `current`: every day that is over is archived. `waiting`: the next one has rows that are not sealed yet. `refused`:
   * something was tampered with. `interrupted`: the time was up.
   */
  readonly status: 'current' | 'waiting' | 'refused' | 'interrupted';
  /** The days that this run archived. */
  readonly days: readonly Day[];
}

const HOUR_MS = 60 * 60 * 1000;
/** Clocks of functions differ, and an append may be under way: only so long after midnight a day is over. */
const GRACE_MS = HOUR_MS;
/** A day that still waits for its seal so long after midnight is one that somebody has to look after. */
const PATIENCE_MS = 6 * HOUR_MS;
const FIRST_PAGE = 10;

/**
 * Archives the days of a workspace that are over and not archived yet, oldest first, empty ones included: from the day of
 * its first row on. Run again, it changes nothing.
 *
 * @param mayGoOn asked before each day.
 * @throws VaultError `unavailable`; the next run goes on.
 */
export async function archiveWorkspace(
  parts: ArchiveParts,
  workspaceId: string,
  mayGoOn: () => boolean = () => true,
): Promise<ArchiveOutcome> {
  const days: Day[] = [];
  const newestOver = daysBefore(dayOf(parts.clock.now() - GRACE_MS), 1);
  let day: Day | undefined;
  try {
    let sofar = await readArchived(parts, workspaceId, newestOver);
    const { newest } = sofar;
    day = newest === undefined ? await firstDay(parts, workspaceId) : nextDay(newest.manifest.day);
    for (; day !== undefined && day <= newestOver; day = nextDay(day)) {
      if (!mayGoOn()) return { status: 'interrupted', days };
      const next = await archiveDay(parts, workspaceId, day, sofar);
      if (next === undefined) {
        await warnOfWaiting(parts, workspaceId, day);
        return { status: 'waiting', days };
      }
      days.push(day);
      sofar = next;
    }
    return { status: 'current', days };
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    const { kind, subject, reason } = error;
    const detail = { job: 'archiver', reason, ...(day === undefined ? {} : { day }) };
    await parts.alerts.raise({ tier: 'critical', kind, workspaceId, subject, detail });
    return { status: 'refused', days };
  }
}

async function readArchived(parts: ArchiveParts, workspaceId: string, to: Day): Promise<ArchivedSoFar> {
  const newest = await newestManifest(parts, workspaceId, to);
  const floor = await readFloor(parts.store, workspaceId);
  // Rows are deleted only once they are archived, so these manifests were there.
  if (floor !== undefined && (newest === undefined || newest.manifest.day < floor.day)) {
    throw conflict(manifestKey(workspaceId, floor.day), 'missing');
  }
  return { newest, heads: await archivedHeads(parts, workspaceId, newest?.manifest, floor) };
}

/** The day of a workspace's first row; undefined while it has none. Lane 0 has the first row, which opens the others. */
async function firstDay({ ledger }: ArchiveParts, workspaceId: string): Promise<Day | undefined> {
  const rows = await ledger.rows({ workspaceId, lane: PRINCIPAL_LANE }, 1, FIRST_PAGE);
  // A key that is none of a row's reads as 0: somebody planted it, and the verifier tells.
  const first = rows.find(({ seq }) => seq > 0);
  if (first === undefined) return undefined;
  const content = readRow(first);
  if (content === undefined) {
    throw new ArchiveFault('audit_break', `row ${PRINCIPAL_LANE}-${first.seq}`, 'row_malformed');
  }
  return dayOf(Date.parse(content.ts));
}

async function warnOfWaiting({ alerts, clock }: ArchiveParts, workspaceId: string, day: Day): Promise<void> {
  if (clock.now() < dayEnd(day) + PATIENCE_MS) return;
  await alerts.raise({
    tier: 'warning',
    kind: 'job_failed',
    workspaceId,
    subject: `archive of ${day}`,
    detail: { job: 'archiver', reason: 'not_sealed' },
  });
}
