import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { unavailable } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type RetentionFloor, readFloor } from '../retention/floor.ts';
import { hashToHex } from '../transparency/merkle.ts';
import { finishPublishing, isSettled } from './finish-publishing.ts';
import { newestSeal } from './later-seal.ts';
import { MAX_STEP_SEGMENTS, type SealParts } from './parts.ts';
import { publish } from './publish.ts';
import { logReader, type PublishedCheckpoint } from './published-log.ts';
import { type PublishedRows, readPublishedRows } from './published-rows.ts';
import { missingRows, putBackRows } from './put-back-rows.ts';
import { addToSegments } from './read-new-rows.ts';
import { readPublished, readStanding } from './read-standing.ts';
import { type RefusalReason, SealRefusal } from './refusal.ts';
import type { LeafSegment, SealedLane, SealState } from './seal-state.ts';

export type Recovery =
  | {
      readonly status: 'recovered';
      /** Leaves in the tree that the state knew of before, and that it knows of now. */
      readonly fromSize: number;
      readonly toSize: number;
      /** How many rows were put back. */
      readonly rows: number;
    }
  /** Nothing of this workspace was ever sealed. */
  | { readonly status: 'unsealed' }
  /** Nothing was put back, and a critical alert was raised. */
  | { readonly status: 'refused'; readonly reason: RefusalReason };

type Parts = SealParts & { readonly trail: AuditTrail; readonly store: Store };

/**
 * Brings a workspace up to what was sealed, after its tables were restored to an earlier instant: puts back every row
 * of the log that the table lacks, to the byte (but for those that retention deleted), brings the sealer's state up to
 * the newest seal, and records `audit.restored`, so that a restore is an event and nothing silent.
 *
 * All rows are compared before any is written: one that stands in the place of a sealed row, because something wrote
 * since the restore, is a fork and refused. So run it before anything else writes to the restored tables. It may be run
 * again at any time; what was done stays done.
 *
 * Entities are not put back: the log holds what happened to them, not what they held. The verifier names those that no
 * longer fit the rows. Entries that were no rows when they were sealed, because somebody had spoiled them, are not put
 * back either, and named likewise.
 *
 * @throws VaultError `unavailable`: run it again.
 */
export async function recoverSealedRows(parts: Parts, workspaceId: string): Promise<Recovery> {
  try {
    return await recover(parts, workspaceId);
  } catch (error) {
    if (!(error instanceof SealRefusal)) throw error;
    await parts.alerts.raise(error.alert(workspaceId));
    return { status: 'refused', reason: error.reason };
  }
}

async function recover(parts: Parts, workspaceId: string): Promise<Recovery> {
  await publishSealed(parts, workspaceId);
  const published = await readPublished(parts, workspaceId);
  const newest = await newestSeal(parts, workspaceId, published.size);
  const state = await parts.seals.read(workspaceId);
  if (newest === undefined && state === undefined && published.size === 0) return { status: 'unsealed' };
  if (newest === undefined) throw sealGone(published.size);

  const log = await readPublishedRows(logReader(parts, workspaceId), workspaceId, newest.checkpoint);
  const { lanes, lacking } = await compareRows(parts, workspaceId, log);
  if (lacking > 0) await putBackAll(parts, workspaceId, log);
  const next = await replaceState(parts, recoveredState(parts, workspaceId, newest, log, lanes), state, log);
  // The newest seal is published, too, should a sealer have died just before that.
  await publish(parts, next, [], published);

  const [fromSize, toSize] = [state?.size ?? 0, next.size];
  await parts.trail.commit(systemOrigin(workspaceId, 'sealer'), [
    {
      action: 'audit.restored',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { fromSize: String(fromSize), toSize: String(toSize), rows: String(lacking) },
    },
  ]);
  return { status: 'recovered', fromSize, toSize, rows: lacking };
}

function sealGone(size: number): SealRefusal {
  return new SealRefusal(
    'archive_conflict',
    `checkpoint ${size}`,
    'It is not among the checkpoints that are kept for good. Remove the delete marker on its name.',
  );
}

/** Where the state was not restored but the rows were, it may be ahead of what is published. */
async function publishSealed(parts: Parts, workspaceId: string): Promise<void> {
  try {
    const standing = await readStanding(parts, workspaceId);
    if (!isSettled(standing)) await finishPublishing(parts, standing);
  } catch (error) {
    // A state that holds less than was published is what this is run for.
    if (!(error instanceof SealRefusal) || error.reason !== 'log_shrunk') throw error;
  }
}

/** Compares the table with every row of the log, and counts those that it lacks and should hold. */
async function compareRows(
  parts: Parts,
  workspaceId: string,
  log: PublishedRows,
): Promise<{ readonly lanes: SealState['lanes']; readonly lacking: number }> {
  const floor = await readFloor(parts.store, workspaceId);
  const lanes: { [lane: string]: SealedLane } = {};
  let lacking = 0;
  for await (const sealed of log.rows()) {
    for (const { row, ts } of sealed) lanes[row.lane] = { seq: row.seq, hash: row.hash, ts };
    const rows = sealed.map(({ row }) => row);
    lacking += (await missingRows(parts.ledger, rows)).filter((row) => isKept(floor, row)).length;
  }
  return { lanes, lacking };
}

async function putBackAll(parts: Parts, workspaceId: string, log: PublishedRows): Promise<void> {
  const floor = await readFloor(parts.store, workspaceId);
  for await (const sealed of log.rows()) {
    const rows = await missingRows(
      parts.ledger,
      sealed.map(({ row }) => row),
    );
    await putBackRows(
      parts.ledger,
      rows.filter((row) => isKept(floor, row)),
    );
  }
}

/** Rows at or below the floor were deleted for good. */
function isKept(
  floor: RetentionFloor | undefined,
  { lane, seq }: { readonly lane: number; readonly seq: number },
): boolean {
  return seq > (floor?.lanes[lane]?.throughSeq ?? 0);
}

function recoveredState(
  { clock }: Parts,
  workspaceId: string,
  { note, checkpoint: { size, root } }: PublishedCheckpoint,
  { frontier }: PublishedRows,
  lanes: SealState['lanes'],
): Omit<SealState, 'version'> {
  return {
    workspaceId,
    size,
    root: hashToHex(root),
    frontier: frontier.hashes.map(hashToHex),
    checkpoint: note,
    lanes,
    sealedAt: clock.now(),
    publishedSize: size,
  };
}

/**
 * Writes the state and the segments of all rows, as many at a time as a transaction takes. Should it stop half way, the
 * state is right and some rows' places are not known; running it again writes all of them.
 */
async function replaceState(
  { seals }: Parts,
  recovered: Omit<SealState, 'version'>,
  state: SealState | undefined,
  log: PublishedRows,
): Promise<SealState> {
  let next: SealState = { ...recovered, version: state?.version ?? 0 };
  const write = async (segments: readonly LeafSegment[]): Promise<void> => {
    next = { ...next, version: next.version + 1 };
    if ((await seals.replace(next, segments)) === 'changed') {
      throw unavailable('Another sealer is at work on this workspace. Stop it, and recover again.');
    }
  };
  let segments: LeafSegment[] = [];
  for await (const sealed of log.rows()) {
    for (const { row, leaf } of sealed) {
      addToSegments(segments, { lane: row.lane, seq: row.seq, leaf });
      if (segments.length <= MAX_STEP_SEGMENTS) continue;
      await write(segments.slice(0, MAX_STEP_SEGMENTS));
      segments = segments.slice(MAX_STEP_SEGMENTS);
    }
  }
  await write(segments);
  return next;
}
