import { readRow } from '../audit/build-rows.ts';
import { laneRange } from '../audit/date-range.ts';
import { lanesOf } from '../audit/lane-set.ts';
import type { LaneRef, Ledger } from '../audit/ledger.ts';
import type { Anchor } from '../audit/verify-lane.ts';
import { laneAnchor, type RetentionFloor } from '../retention/floor.ts';
import type { SealStates } from '../seal/seal-state.ts';
import { dayEnd, dayOf, daysBefore } from './day.ts';
import type { Manifest } from './manifest.ts';
import { type ManifestParts, readManifest } from './read-manifests.ts';

type Parts = ManifestParts & { readonly ledger: Ledger; readonly seals: SealStates };

/**
 * Where the archive of each lane of a workspace ends: at the last row that a manifest names, or where the lane starts.
 *
 * @param newest the newest manifest; undefined while there is none.
 * @throws ArchiveFault, VaultError `unavailable`.
 */
export async function archivedHeads(
  parts: Parts,
  workspaceId: string,
  newest: Manifest | undefined,
  floor: RetentionFloor | undefined,
): Promise<Map<number, Anchor>> {
  const sealed = Object.keys((await parts.seals.read(workspaceId))?.lanes ?? {}).map(Number);
  // Should somebody have made the table forget a lane, the seals still know it.
  const lanes = new Set([...(await lanesOf(parts.ledger, workspaceId)), ...sealed]);
  const heads = new Map<number, Anchor>();
  for (const lane of [...lanes].sort((a, b) => a - b)) {
    const ref = { workspaceId, lane };
    const archived = newest === undefined ? undefined : await lastArchived(parts, ref, newest);
    heads.set(lane, archived ?? (await laneAnchor(parts.ledger, ref, floor)));
  }
  return heads;
}

/** The last row of a lane that a manifest up to this one names; undefined where there is none. */
async function lastArchived(parts: Parts, lane: LaneRef, newest: Manifest): Promise<Anchor | undefined> {
  const named = headIn(newest, lane);
  if (named !== undefined) return named;
  // A quiet lane. The time of its last row then tells which manifest names it; no other has to be read.
  const { last } = await laneRange(parts.ledger, lane, { to: dayEnd(newest.day) });
  if (last === 0) return undefined;
  const row = await parts.ledger.row(lane, last);
  const content = row && readRow(row);
  if (content !== undefined) {
    const manifest = await readManifest(parts, lane.workspaceId, dayOf(Date.parse(content.ts)));
    const head = manifest && headIn(manifest.manifest, lane);
    if (head?.seq === last) return head;
  }
  // A spoiled row, or one that came so late that a later day took it: the manifests alone can tell.
  for (let day = daysBefore(newest.day, 1); ; day = daysBefore(day, 1)) {
    const manifest = await readManifest(parts, lane.workspaceId, day);
    if (manifest === undefined) return undefined;
    const head = headIn(manifest.manifest, lane);
    if (head !== undefined) return head;
  }
}

function headIn({ lanes }: Manifest, { lane }: LaneRef): Anchor | undefined {
  const entry = lanes.find((candidate) => candidate.lane === lane);
  return entry && { seq: entry.last, hash: entry.lastHash, ts: entry.lastTs };
}
