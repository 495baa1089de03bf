import { conflict } from '../archive/archive-fault.ts';
import { type Day, daysBefore } from '../archive/day.ts';
import {
  type Manifest,
  type ManifestCheckpoint,
  type ManifestLane,
  manifestKey,
  NO_MANIFEST,
} from '../archive/manifest.ts';
import { type ManifestParts, readManifest, readManifests } from '../archive/read-manifests.ts';
import type { Period } from './period.ts';

/** The rows of one lane, from `first` to `last`. */
export type LaneRows = Pick<ManifestLane, 'lane' | 'first' | 'last'>;

/** What the daily archive says of a period that it holds wholly. */
export interface ArchivedPeriod {
  /** The rows of the period; no lane where there are none. */
  readonly lanes: readonly LaneRows[];
  /** The first checkpoint whose tree has all rows of the period; undefined where there are none. */
  readonly checkpoint: ManifestCheckpoint | undefined;
}

/**
 * Finds the rows of a period, and the tree that its evidence is taken from: always the same ones, whenever it is asked for,
 * as the manifests of its days were signed.
 *
 * @returns undefined while the last day of the period is not archived.
 * @throws ArchiveFault when the archive was tampered with; VaultError `unavailable`.
 */
export async function archivedPeriod(
  parts: ManifestParts,
  workspaceId: string,
  { from, to }: Period,
): Promise<ArchivedPeriod | undefined> {
  const lastDay = daysBefore(to, 1);
  const lanes = new Map<number, LaneRows>();
  let newest: Day | undefined;
  let checkpoint: ManifestCheckpoint | undefined;
  for await (const { manifest } of readManifests(parts, workspaceId, { from, to: lastDay })) {
    if (newest === undefined) refuseLateBeginning(manifest, from);
    newest = manifest.day;
    for (const { lane, first, last } of manifest.lanes)
      lanes.set(lane, { lane, first: lanes.get(lane)?.first ?? first, last });
    checkpoint = lastOf(manifest) ?? checkpoint;
  }
  if (newest !== lastDay) return undefined;
  if (lanes.size === 0) return { lanes: [], checkpoint: undefined };
  checkpoint ??= await checkpointBefore(parts, workspaceId, from);
  return { lanes: [...lanes.values()], checkpoint };
}

/** A period begins with its first day or with the archive: whoever hides days at its beginning would take away their rows. */
function refuseLateBeginning({ ws, day, previous }: Manifest, from: Day): void {
  if (day !== from && previous !== NO_MANIFEST) throw conflict(manifestKey(ws, day), 'unlinked');
}

/** Rows of just after midnight may have been sealed together with those of before: then an earlier day names the tree. */
async function checkpointBefore(
  parts: ManifestParts,
  workspaceId: string,
  from: Day,
): Promise<ManifestCheckpoint> {
  for (let day = daysBefore(from, 1); ; day = daysBefore(day, 1)) {
    const signed = await readManifest(parts, workspaceId, day);
    if (signed === undefined) throw conflict(manifestKey(workspaceId, day), 'missing');
    const checkpoint = lastOf(signed.manifest);
    if (checkpoint !== undefined) return checkpoint;
  }
}

function lastOf({ checkpoints }: Manifest): ManifestCheckpoint | undefined {
  return checkpoints.at(-1);
}
