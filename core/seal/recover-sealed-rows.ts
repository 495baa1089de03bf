import { systemOrigin } from '../audit/lane-start.ts';
import { rowHash } from '../audit/row.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { unavailable } from '../kernel/errors.ts';
import { readFloor } from '../retention/floor.ts';
import { hashToHex } from '../transparency/merkle.ts';
import { LeafOrder } from '../verification/leaf-order.ts';
import { finishPublishing, isSettled } from './finish-publishing.ts';
import { newestSeal, nextSeal } from './later-seal.ts';
import { MAX_STEP_ROWS, MAX_STEP_SEGMENTS, type SealParts } from './parts.ts';
import { publish } from './publish.ts';
import type { PublishedCheckpoint } from './published-log.ts';
import { isSigned, readPublished, readStanding } from './read-standing.ts';
import { isKept, type RecoveredStep, recoverStep } from './recover-step.ts';
import { type RefusalReason, SealRefusal } from './refusal.ts';
import type { SealState } from './seal-state.ts';

export type Recovery =
  | {
      readonly status: 'recovered';
      readonly done: true;
      /** Leaves in the tree that the state knew of before, and that it knows of now. */
      readonly fromSize: number;
      readonly toSize: number;
      /** How many rows were put back. */
      readonly rows: number;
    }
  /** The time was up: run it again, and it goes on where it stopped. */
  | {
      readonly status: 'interrupted';
      readonly done: false;
      /** Leaves whose rows the table holds, of how many there are, and how many rows were put back so far. */
      readonly size: number;
      readonly toSize: number;
      readonly rows: number;
    }
  /** Nothing of this workspace was ever sealed. */
  | { readonly status: 'unsealed' }
  /** It stopped at what does not fit, and a critical alert was raised. */
  | { readonly status: 'refused'; readonly reason: RefusalReason };

type Parts = SealParts & { readonly trail: AuditTrail };

/** Lanes looked at side by side. */
const WIDTH = 16;

/**
 * Brings a workspace up to what was sealed, after its tables were restored to an earlier instant: puts back every row
 * of the log that the table lacks, to the byte (but for those that retention deleted), brings the sealer's state up to
 * the newest seal, and records `audit.restored`, so that a restore is an event and nothing silent.
 *
 * It begins where the state stands, if the table holds the last sealed row of each lane, and the places of all leaves: a
 * backup holds the beginning of each lane, and the rows before one hang together with it. Else, and if the state is gone or not the one that was
 * signed, it begins at the first leaf: nothing is lost with a state but what was sealed and never published, which
 * nobody has seen. From there it goes from seal to seal, some thousand leaves at a time, and the state follows. Until it
 * has come to the newest seal, nothing new is sealed, and the next run goes on from the state.
 *
 * The rows of each step are compared before any is written: one that stands in the place of a sealed row, because
 * something wrote since the restore, is a fork and refused. So run it before anything else writes to the restored
 * tables. It may be run again at any time; what was done stays done.
 *
 * Entities are not put back: the log holds what happened to them, not what they held. The verifier names those that no
 * longer fit the rows. Entries that were no rows when they were sealed, because somebody had spoiled them, are not put
 * back either, and named likewise.
 *
 * @param mayGoOn asked before each step, which takes some seconds.
 * @throws VaultError `unavailable`: run it again.
 */
export async function recoverSealedRows(
  parts: Parts,
  workspaceId: string,
  mayGoOn: () => boolean = () => true,
): Promise<Recovery> {
  try {
    return await recover(parts, workspaceId, mayGoOn);
  } catch (error) {
    if (!(error instanceof SealRefusal)) throw error;
    await parts.alerts.raise(error.alert(workspaceId));
    return { status: 'refused', reason: error.reason };
  }
}

async function recover(parts: Parts, workspaceId: string, mayGoOn: () => boolean): Promise<Recovery> {
  await publishSealed(parts, workspaceId);
  const published = await readPublished(parts, workspaceId);
  const newest = await newestSeal(parts, workspaceId, published.size);
  const stored = await parts.seals.read(workspaceId);
  if (newest === undefined && stored === undefined && published.size === 0) return { status: 'unsealed' };
  if (newest === undefined) throw sealGone(published.size);

  const toSize = newest.checkpoint.size;
  const signed = stored !== undefined && (await isSigned(parts, stored)) ? stored : undefined;
  const isUsable = signed !== undefined && (await isHeld(parts, signed)) && (await isPlaced(parts, signed));
  let state = isUsable ? signed : undefined;
  let { fromSize, rows } = state?.recovery ?? { fromSize: signed?.size ?? 0, rows: 0 };
  while (state === undefined || state.size < toSize) {
    const size = state?.size ?? 0;
    if (!mayGoOn()) return { status: 'interrupted', done: false, size, toSize, rows };
    // Without a state, a step of one seal has the places of its rows in one transaction with the state.
    const seal = await nextSeal(parts, workspaceId, size, state === undefined ? 0 : MAX_STEP_ROWS);
    if (seal === undefined) throw unavailable('The seals changed meanwhile.');
    const step = await recoverStep(parts, workspaceId, state, seal.checkpoint, toSize);
    rows += step.rows;
    // Crash: the rows that are back are found to be there by the next run.
    const next = { ...recovered(parts, workspaceId, seal, step), recovery: { fromSize, rows } };
    state = await moveState(parts, next, state, state?.version ?? stored?.version ?? 0, step);
  }
  // The newest seal is published, too, should a sealer have died just before that.
  await publish(parts, state, [], published);
  await record(parts, workspaceId, { fromSize, toSize, rows });
  // Crash: the next run records it once more.
  await forget(parts, state);
  return { status: 'recovered', done: true, fromSize, toSize, rows };
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
  const state = await parts.seals.read(workspaceId);
  if (state === undefined || !(await isSigned(parts, state))) return;
  try {
    const standing = await readStanding(parts, workspaceId);
    if (!isSettled(standing)) await finishPublishing(parts, standing);
  } catch (error) {
    // A state that holds less than was published is what this is run for.
    if (!(error instanceof SealRefusal) || error.reason !== 'log_shrunk') throw error;
  }
}

/** Whether the table holds the last sealed row of each lane. */
async function isHeld(parts: Parts, { workspaceId, lanes }: SealState): Promise<boolean> {
  const floor = await readFloor(parts.store, workspaceId);
  const held = await concurrently(Object.entries(lanes), WIDTH, async ([name, { seq, hash }]) => {
    const lane = Number(name);
    const row = await parts.ledger.row({ workspaceId, lane }, seq);
    return row === undefined ? !isKept(floor, { lane, seq }) : rowHash(row.bytes) === hash;
  });
  return held.every((isThere) => isThere);
}

/** Whether the place of each leaf is noted: a backup may have a state without the notes that were written with it. */
async function isPlaced({ seals }: Parts, { workspaceId, size, lanes }: SealState): Promise<boolean> {
  const order = new LeafOrder(seals, workspaceId, Object.keys(lanes).map(Number), {});
  for (let leaf = 0; leaf < size; leaf += 1) if ((await order.take(leaf)) === undefined) return false;
  return true;
}

function recovered(
  { clock }: Parts,
  workspaceId: string,
  { note, checkpoint: { size, root } }: PublishedCheckpoint,
  { frontier, lanes }: RecoveredStep,
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
 * Moves the state on, with the places of the step's rows, as many at a time as a transaction takes. The state itself
 * moves with the last of them, so that a crash before leaves a step that is done again.
 */
async function moveState(
  { seals }: Parts,
  next: Omit<SealState, 'version'>,
  state: SealState | undefined,
  version: number,
  { segments }: RecoveredStep,
): Promise<SealState> {
  let at = version;
  const write = async (content: Omit<SealState, 'version'>, from: number): Promise<SealState> => {
    at += 1;
    const written = { ...content, version: at };
    const some = segments.slice(from, from + MAX_STEP_SEGMENTS);
    if ((await seals.replace(written, some)) === 'replaced') return written;
    throw unavailable('Another sealer is at work on this workspace. Stop it, and recover again.');
  };
  let from = 0;
  for (; from + MAX_STEP_SEGMENTS < segments.length; from += MAX_STEP_SEGMENTS)
    await write(state ?? next, from);
  return write(next, from);
}

async function record(
  { trail }: Parts,
  workspaceId: string,
  { fromSize, toSize, rows }: { fromSize: number; toSize: number; rows: number },
): Promise<void> {
  await trail.commit(systemOrigin(workspaceId, 'sealer'), [
    {
      action: 'audit.restored',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { fromSize: String(fromSize), toSize: String(toSize), rows: String(rows) },
    },
  ]);
}

/** Ends the recovery that a state tells of. If a sealer was quicker, its state tells of none. */
async function forget({ seals }: Parts, { recovery, ...state }: SealState): Promise<void> {
  if (recovery !== undefined) await seals.replace({ ...state, version: state.version + 1 }, []);
}
