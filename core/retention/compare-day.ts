import { ArchiveFault } from '../archive/archive-fault.ts';
import { archivedRows } from '../archive/archived-rows.ts';
import { type CheckedRow, checkedRows } from '../archive/day-rows.ts';
import type { Manifest, ManifestLane } from '../archive/manifest.ts';
import type { ObjectArchive } from '../archive/object-archive.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { LaneRef, Ledger } from '../audit/ledger.ts';
import type { AuditRow } from '../audit/row.ts';
import type { SealStates } from '../seal/seal-state.ts';
import { type LaneFloor, laneAnchor, type RetentionFloor } from './floor.ts';

export interface CompareParts {
  readonly ledger: Ledger;
  readonly archive: Pick<ObjectArchive, 'read'>;
  readonly seals: SealStates;
}

/** How far the floor can rise, by lane; lanes whose floor stays are left out. */
export type RaisedFloors = ReadonlyMap<number, LaneFloor>;

/**
 * Reads the archived rows of a day and the same rows of the table side by side, from the floor on, and tells how far they
 * may be deleted: they are the same to the byte and hang together with what was deleted before. The last row of a lane
 * stays, and the last sealed one: on these, the lane and the tree go on.
 *
 * A lane whose opening row in lane 0 is among them gets a floor of 0 with that row's hash, so that its first row still
 * has something to follow.
 *
 * @throws ArchiveFault when the archive or the table has been tampered with.
 * @throws VaultError `unavailable`
 */
export async function compareDay(
  parts: CompareParts,
  manifest: Manifest,
  floor: RetentionFloor | undefined,
): Promise<RaisedFloors> {
  const workspaceId = manifest.ws;
  const sealed = (await parts.seals.read(workspaceId))?.lanes ?? {};
  const raised = new Map<number, LaneFloor>();
  const openings = new Map<number, string>();
  for (const entry of manifest.lanes) {
    const ref = { workspaceId, lane: entry.lane };
    const lastSeq = (await parts.ledger.lastRow(ref))?.seq ?? 0;
    const through = Math.min(entry.last, lastSeq - 1, (sealed[entry.lane]?.seq ?? 0) - 1);
    for await (const { stored, row } of comparedRows(parts, manifest, entry, floor)) {
      if (stored.seq === through) {
        raised.set(entry.lane, { throughSeq: through, hash: stored.hash, ts: row.ts });
      }
      const opened = openedLane(row);
      // Of two rows that open a lane, the first counts.
      if (opened !== undefined && stored.seq <= through && !openings.has(opened)) {
        openings.set(opened, stored.hash);
      }
    }
  }
  for (const [lane, hash] of openings) {
    if (floor?.lanes[lane] === undefined && !raised.has(lane)) {
      raised.set(lane, { throughSeq: 0, hash, ts: '' });
    }
  }
  return raised;
}

/** The rows of a lane in the table from the floor to the end of the day; those of the day are the archived ones. */
async function* comparedRows(
  { ledger, archive }: CompareParts,
  manifest: Manifest,
  { lane, first, last }: ManifestLane,
  floor: RetentionFloor | undefined,
): AsyncGenerator<CheckedRow> {
  const ref: LaneRef = { workspaceId: manifest.ws, lane };
  const archived = rowsOfLane(archive, manifest, lane);
  for await (const checked of checkedRows(ledger, ref, await laneAnchor(ledger, ref, floor), last)) {
    const { seq, bytes } = checked.stored;
    // An earlier one stayed behind when its own day was compared, as the last of its lane: the chain vouches for it.
    if (seq >= first) {
      const { value } = await archived.next();
      if (value === undefined || Buffer.compare(value, bytes) !== 0) {
        throw new ArchiveFault('audit_break', `row ${lane}-${seq}`, 'not_archived');
      }
    }
    yield checked;
  }
  // Reads the last part to its end, where its hash is checked.
  await archived.next();
}

async function* rowsOfLane(
  archive: Pick<ObjectArchive, 'read'>,
  { parts }: Manifest,
  lane: number,
): AsyncGenerator<Uint8Array, undefined> {
  for (const part of parts.filter((candidate) => candidate.lane === lane)) yield* archivedRows(archive, part);
  return undefined;
}

function openedLane({ action, lane, detail }: AuditRow): number | undefined {
  return action === 'lane.opened' && lane === PRINCIPAL_LANE ? Number(detail['lane']) : undefined;
}
