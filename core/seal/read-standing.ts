import { openCheckpoint } from '../transparency/checkpoint.ts';
import { frontierRoot, HashFormatError, hashFromHex, hashToHex } from '../transparency/merkle.ts';
import { NoteError } from '../transparency/signed-note.ts';
import { CHECKPOINT_PATH, logOrigin, logPrefix } from './log-origin.ts';
import { MAX_STEP_ROWS, type SealParts } from './parts.ts';
import { CheckpointError, logKeys, readCheckpoint } from './published-log.ts';
import { SealRefusal } from './refusal.ts';
import type { SealState } from './seal-state.ts';

/** What lies under the checkpoint's name. */
export interface Published {
  /** Size of the tree; 0 before the first seal, and when it is no checkpoint of ours. */
  readonly size: number;
  /** Hex; empty when the size is 0. */
  readonly root: string;
  /** Undefined when there is nothing. */
  readonly etag: string | undefined;
  /** There is something, and it is not ours. */
  readonly foreign: boolean;
}

/** Where a log stands: what is sealed, and what the world can see of it. They fit each other. */
export interface Standing {
  /** Undefined before the first seal. */
  readonly state: SealState | undefined;
  readonly published: Published;
}

/**
 * Reads the published checkpoint and the state, and compares them.
 *
 * The state moves before the checkpoint is published and neither ever moves back. So a state that was read after the
 * checkpoint and holds less was rolled back or removed; and a checkpoint that was read after the state and is smaller
 * than the state says was published was replaced by an older one. The order of the reads is what makes this hold while
 * other sealers are at work. The first is refused: nothing may be signed on top of it. The second is alerted and
 * mended, since the state's own signature shows that it is ours and ahead.
 *
 * @throws SealRefusal `log_shrunk`, or `log_forked` when state and checkpoint contradict each other, or the state itself.
 */
export async function readStanding(parts: SealParts, workspaceId: string): Promise<Standing> {
  const earlier = await readPublished(parts, workspaceId);
  const state = await parts.seals.read(workspaceId);
  if (state !== undefined && !(await isSigned(parts, state))) throw notSigned(state);
  compare(earlier, state);
  const claimed = state?.publishedSize ?? 0;
  const published = claimed > earlier.size ? await readPublished(parts, workspaceId) : earlier;
  if (published.foreign || claimed > published.size)
    await alertReplaced(parts, workspaceId, claimed, published);
  return { state, published };
}

/** What lies under the checkpoint's name now. */
export async function readPublished(parts: SealParts, workspaceId: string): Promise<Published> {
  try {
    const found = await readCheckpoint(parts, workspaceId);
    if (found === undefined) return { size: 0, root: '', etag: undefined, foreign: false };
    const { size, root } = found.checkpoint;
    return { size, root: hashToHex(root), etag: found.etag, foreign: false };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return { size: 0, root: '', etag: error.etag, foreign: true };
  }
}

function compare(published: Published, state: SealState | undefined): void {
  const sealed = state?.size ?? 0;
  const subject = `checkpoint ${published.size}`;
  if (sealed < published.size) {
    throw new SealRefusal(
      'log_shrunk',
      subject,
      'The state holds less than was published. If the tables were restored from a backup, recover the sealed rows.',
      { sealed: String(sealed), published: String(published.size) },
    );
  }
  if (sealed === published.size && state !== undefined && state.root !== published.root) {
    throw new SealRefusal('log_forked', subject, 'Two trees of one size were signed.', {
      published: published.root,
      sealed: state.root,
    });
  }
}

/** Whether the parts of a state belong to the checkpoint in it, and that is signed: others may write a table, too. */
export async function isSigned(parts: SealParts, state: SealState): Promise<boolean> {
  const { workspaceId, size, root, publishedSize } = state;
  const ahead = size - publishedSize;
  const origin = logOrigin(parts.logName, workspaceId);
  const keys = await logKeys(parts, origin);
  try {
    const signed = openCheckpoint(state.checkpoint, origin, keys);
    const built = frontierRoot({ size, hashes: state.frontier.map(hashFromHex) });
    const fits = signed.size === size && hashToHex(signed.root) === root && hashToHex(built) === root;
    return fits && publishedSize >= 0 && ahead >= 0 && ahead <= MAX_STEP_ROWS;
  } catch (error) {
    const isMalformed =
      error instanceof NoteError || error instanceof HashFormatError || error instanceof RangeError;
    if (isMalformed) return false;
    throw error;
  }
}

function notSigned({ size }: SealState): SealRefusal {
  return new SealRefusal(
    'log_forked',
    `state ${size}`,
    'The state of the sealer is not the one that was signed. Recover the sealed rows, which makes it anew.',
  );
}

async function alertReplaced(
  parts: SealParts,
  workspaceId: string,
  claimed: number,
  published: Published,
): Promise<void> {
  await parts.alerts.raise({
    tier: 'critical',
    kind: 'archive_conflict',
    workspaceId,
    subject: `object ${logPrefix(workspaceId)}${CHECKPOINT_PATH}`,
    detail: {
      explanation: 'The published checkpoint was replaced. The sealed one is published again on top of it.',
      published: String(claimed),
      found: published.foreign ? 'no checkpoint of ours' : String(published.size),
    },
  });
}
