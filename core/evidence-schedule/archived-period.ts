import { conflict } from '../archive/archive-fault.ts';
import { type Day, daysBefore } from '../archive/day.ts';
import { type Manifest, type ManifestCheckpoint, manifestKey } from '../archive/manifest.ts';
import { type ManifestParts, readManifest, readManifests } from '../archive/read-manifests.ts';
import type { Period } from './period.ts';

/** What the daily archive says of a period that it holds wholly. */
export interface ArchivedPeriod {
  /** The first checkpoint whose tree has all rows of the period; undefined where there are none. */
  readonly checkpoint: ManifestCheckpoint | undefined;
}

/**
 * Finds the tree that a period's evidence is taken from: always the same one, whenever it is asked for.
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
  let newest: Day | undefined;
  let hasRows = false;
  let checkpoint: ManifestCheckpoint | undefined;
  for await (const { manifest } of readManifests(parts, workspaceId, { from, to: lastDay })) {
    newest = manifest.day;
    hasRows ||= manifest.lanes.length > 0;
    checkpoint = lastOf(manifest) ?? checkpoint;
  }
  if (newest !== lastDay) return undefined;
  if (!hasRows) return { checkpoint: undefined };
  return { checkpoint: checkpoint ?? (await checkpointBefore(parts, workspaceId, from)) };
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
