import { laneRange } from '../audit/date-range.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { Anchor } from '../audit/verify-lane.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { CheckpointError, openPublishedLog, type PublishedLog } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';
import { conflict } from './archive-fault.ts';
import { archiveLane, type DayLane, type LaneParts } from './archive-lane.ts';
import { type Day, dayEnd } from './day.ts';
import { dayCheckpoints } from './day-checkpoints.ts';
import { type Manifest, type ManifestCheckpoint, NO_MANIFEST } from './manifest.ts';
import type { ObjectArchive } from './object-archive.ts';
import { type PublishParts, publishManifest } from './publish-manifest.ts';
import type { SignedManifest } from './read-manifests.ts';
import { leafOf } from './sealed-rows.ts';

export interface DayParts extends LaneParts, PublishParts {
  readonly ledger: Ledger;
  readonly archive: ObjectArchive;
  /** Each object has to be locked for this many days after the day that it is about. */
  readonly minRetentionDays: number;
}

/** How far a workspace is archived. */
export interface ArchivedSoFar {
  readonly newest: SignedManifest | undefined;
  /** The last archived row of each lane of the workspace, or where the lane starts. */
  readonly heads: ReadonlyMap<number, Anchor>;
}

/**
 * Archives the rows of one day: parts first, then the manifest, then its signed note. Only with the note, and everything
 * read back and locked, the day counts. A crash leaves objects that the next run finds, compares and takes over: nothing
 * in them depends on when or how often it runs.
 *
 * @param day one that is over: no row of it will come any more.
 * @returns undefined while rows of the day wait to be sealed and published. Nothing was written then.
 * @throws ArchiveFault when something was tampered with; the day is not archived then.
 * @throws VaultError `unavailable`
 */
export async function archiveDay(
  parts: DayParts,
  workspaceId: string,
  day: Day,
  { newest, heads }: ArchivedSoFar,
): Promise<ArchivedSoFar | undefined> {
  const lockedUntil = dayEnd(day) + parts.minRetentionDays * DAY_MS;
  const base = { v: 1, ws: workspaceId, day, previous: newest?.sha256 ?? NO_MANIFEST } as const;
  const lanes = await findLanes(parts.ledger, workspaceId, day, heads);
  if (lanes.length === 0) {
    const empty: Manifest = { ...base, lanes: [], parts: [], checkpoints: [] };
    return { newest: await publishManifest(parts, empty, lockedUntil), heads };
  }
  const log = await openLog(parts, workspaceId);
  const needed = await leavesOf(parts.seals, workspaceId, lanes);
  if (log === undefined || needed === undefined || needed > log.checkpoint.size) return undefined;
  const checkpoints = await newCheckpoints(parts, workspaceId, heads, needed);
  const archived = [];
  for (const lane of lanes) archived.push(await archiveLane(parts, log, day, lane, lockedUntil));
  const manifest: Manifest = {
    ...base,
    lanes: archived.map(({ lane }) => lane),
    parts: archived.flatMap((lane) => lane.parts),
    checkpoints,
  };
  const ends = manifest.lanes.map(
    ({ lane, last, lastHash, lastTs }) => [lane, { seq: last, hash: lastHash, ts: lastTs }] as const,
  );
  return {
    newest: await publishManifest(parts, manifest, lockedUntil),
    heads: new Map([...heads, ...ends]),
  };
}

/** The lanes that have rows of the day, and which. */
async function findLanes(
  ledger: Ledger,
  workspaceId: string,
  day: Day,
  heads: ReadonlyMap<number, Anchor>,
): Promise<DayLane[]> {
  const lanes: DayLane[] = [];
  for (const [lane, head] of heads) {
    const { last } = await laneRange(ledger, { workspaceId, lane }, { to: dayEnd(day) });
    if (last > head.seq) lanes.push({ workspaceId, lane, head, last });
  }
  return lanes;
}

async function openLog(parts: DayParts, workspaceId: string): Promise<PublishedLog | undefined> {
  try {
    return await openPublishedLog(parts, workspaceId);
  } catch (error) {
    if (error instanceof CheckpointError) throw conflict(`log/${workspaceId}/checkpoint`, 'unsigned', error);
    throw error;
  }
}

/** How many leaves hold all rows of some lanes up to their ends; undefined if some are not in the tree yet. */
async function leavesOf(
  seals: SealStates,
  workspaceId: string,
  ends: readonly { readonly lane: number; readonly last: number }[],
): Promise<number | undefined> {
  let leaves = 0;
  for (const { lane, last } of ends) {
    const leaf = await leafOf(seals, { workspaceId, lane }, last);
    if (leaf === undefined) return undefined;
    leaves = Math.max(leaves, leaf + 1);
  }
  return leaves;
}

async function newCheckpoints(
  parts: DayParts,
  workspaceId: string,
  heads: ReadonlyMap<number, Anchor>,
  needed: number,
): Promise<ManifestCheckpoint[]> {
  const ends = [...heads].map(([lane, { seq }]) => ({ lane, last: seq })).filter(({ last }) => last > 0);
  const earlier = await leavesOf(parts.seals, workspaceId, ends);
  // What is archived was sealed: somebody spoiled the sealer's state.
  if (earlier === undefined) throw conflict(`log/${workspaceId}/`, 'not_sealed');
  return dayCheckpoints(parts, workspaceId, earlier, Math.max(earlier, needed));
}
