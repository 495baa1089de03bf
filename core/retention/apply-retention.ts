import { ArchiveFault, conflict } from '../archive/archive-fault.ts';
import { type Day, dayOf, daysBefore, nextDay } from '../archive/day.ts';
import { manifestKey, NO_MANIFEST } from '../archive/manifest.ts';
import type { ObjectArchive } from '../archive/object-archive.ts';
import { type ManifestParts, readManifests, type SignedManifest } from '../archive/read-manifests.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { AUDIT_RETENTION_DAYS, workspaceKind } from '../workspaces/workspace.ts';
import { type CompareParts, compareDay } from './compare-day.ts';
import { deleteBelow } from './delete-below.ts';
import { type RetentionFloor, readFloor } from './floor.ts';
import { RETENTION_JOB, raiseFloor } from './raise-floor.ts';
import type { RowRemover } from './row-remover.ts';

export interface RetentionParts extends CompareParts, ManifestParts {
  readonly archive: Pick<ObjectArchive, 'read' | 'list'>;
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly remover: RowRemover;
  readonly alerts: Alerts;
  readonly clock: Clock;
}

export interface RetentionOutcome {
  /**
   * `current`: all that is old enough and archived is gone. `refused`: something was tampered with. `interrupted`: the
   * time was up.
   */
  readonly status: 'current' | 'refused' | 'interrupted';
  /** Rows. */
  readonly deleted: number;
}

/**
 * Deletes a workspace's audit rows that are older than it keeps them, day by day, oldest first. Of each day: its signed
 * manifest must follow the one of the day before, and its archived rows must be the ones in the table. Then the floor is
 * raised, and only then the rows below it are deleted. A crash leaves a floor with rows below it, which the next run
 * deletes first.
 *
 * @param mayGoOn asked before each day.
 * @throws VaultError `unavailable`, `concurrent_change`; the next run goes on.
 */
export async function applyRetention(
  parts: RetentionParts,
  workspaceId: string,
  mayGoOn: () => boolean = () => true,
): Promise<RetentionOutcome> {
  let floor = await readFloor(parts.store, workspaceId);
  let deleted = floor === undefined ? 0 : await deleteRows(parts, floor, Object.keys(floor.lanes));
  let previous = floor?.manifest ?? NO_MANIFEST;
  const days = {
    to: await lastDayToDelete(parts, workspaceId),
    ...(floor === undefined ? {} : { from: nextDay(floor.day) }),
  };
  try {
    for await (const signed of readManifests(parts, workspaceId, days)) {
      if (!mayGoOn()) return { status: 'interrupted', deleted };
      checkLink(signed, previous);
      previous = signed.sha256;
      const raised = await compareDay(parts, signed.manifest, floor);
      if (raised.size === 0) continue;
      floor = await raiseFloor(parts, floor, signed, raised);
      deleted += await deleteRows(parts, floor, [...raised.keys()].map(String));
    }
    return { status: 'current', deleted };
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    const { kind, subject, reason } = error;
    const detail = { job: RETENTION_JOB, reason };
    await parts.alerts.raise({ tier: 'critical', kind, workspaceId, subject, detail });
    return { status: 'refused', deleted };
  }
}

/** The last day that ended longer ago than the workspace keeps its rows. */
async function lastDayToDelete({ store, clock }: RetentionParts, workspaceId: string): Promise<Day> {
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  const kept = workspace?.auditRetentionDays ?? AUDIT_RETENTION_DAYS.unlessSet;
  return daysBefore(dayOf(clock.now()), kept + 1);
}

/** Whoever hides or changes a manifest breaks the chain from the first one on; the floor holds its end. */
function checkLink({ manifest }: SignedManifest, previous: string): void {
  if (manifest.previous !== previous) throw conflict(manifestKey(manifest.ws, manifest.day), 'unlinked');
}

async function deleteRows(
  parts: RetentionParts,
  { workspaceId, lanes }: RetentionFloor,
  names: readonly string[],
): Promise<number> {
  let deleted = 0;
  for (const name of names) {
    deleted += await deleteBelow(parts, { workspaceId, lane: Number(name) }, lanes[name]?.throughSeq ?? 0);
  }
  return deleted;
}
