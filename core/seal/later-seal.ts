import { logPrefix, SEALS_PATH, sealPath } from './log-origin.ts';
import type { SealParts } from './parts.ts';
import { CheckpointError, type PublishedCheckpoint, readCheckpoint } from './published-log.ts';
import { SealRefusal } from './refusal.ts';
import type { SealState } from './seal-state.ts';

/**
 * Looks for a checkpoint of a larger tree than the state's among those that are kept for good. It is the last look
 * before a signature: state and published checkpoint may both have been rolled back, but those are locked.
 *
 * @returns whether the state is the newest there is; not, when another sealer has moved on meanwhile.
 * @throws SealRefusal `log_shrunk` when there is a larger one that we signed, `archive_conflict` when something else
 * lies under its name.
 */
export async function isNewest(
  parts: SealParts,
  workspaceId: string,
  state: SealState | undefined,
): Promise<boolean> {
  const size = state?.size ?? 0;
  const [path] = await sealsAfter(parts, workspaceId, size);
  if (path === undefined) return true;
  // A sealer moves the state before it publishes anything.
  const now = await parts.seals.read(workspaceId);
  if (now?.version !== state?.version) return false;
  await sealAt(parts, workspaceId, path);
  throw new SealRefusal(
    'log_shrunk',
    `object ${logPrefix(workspaceId)}${path}`,
    'A larger tree was sealed before: state and checkpoint were rolled back. Recover the sealed rows.',
    { sealed: String(size) },
  );
}

/**
 * The newest of the checkpoints that are kept for good, from `size` on; undefined when there is none.
 *
 * @throws SealRefusal `archive_conflict` when it is none that we signed.
 */
export async function newestSeal(
  parts: SealParts,
  workspaceId: string,
  size: number,
): Promise<PublishedCheckpoint | undefined> {
  const path = (await sealsAfter(parts, workspaceId, Math.max(0, size - 1))).at(-1);
  return path === undefined ? undefined : sealAt(parts, workspaceId, path);
}

/**
 * Of the checkpoints that are kept for good and larger than `size`, the largest with at most `leaves` more, or else the
 * first; undefined when there is none.
 *
 * @throws SealRefusal `archive_conflict` when it is none that we signed.
 */
export async function nextSeal(
  parts: SealParts,
  workspaceId: string,
  size: number,
  leaves: number,
): Promise<PublishedCheckpoint | undefined> {
  const limit = sealPath(size + leaves);
  let path: string | undefined;
  for await (const paths of sealPages(parts, workspaceId, size)) {
    const within = paths.filter((each) => each <= limit);
    path = within.at(-1) ?? path ?? paths[0];
    if (within.length < paths.length) break;
  }
  return path === undefined ? undefined : sealAt(parts, workspaceId, path);
}

/** Paths of seals of trees larger than `size`, rising: one, or a few where a recovery is due. */
async function sealsAfter(parts: SealParts, workspaceId: string, size: number): Promise<readonly string[]> {
  let found: readonly string[] = [];
  // Of many pages the first path and the last are all that is asked for here.
  for await (const paths of sealPages(parts, workspaceId, size)) found = [...found.slice(0, 1), ...paths];
  return found;
}

async function* sealPages(
  { archive }: SealParts,
  workspaceId: string,
  size: number,
): AsyncGenerator<readonly string[]> {
  const prefix = logPrefix(workspaceId);
  for await (const keys of archive.list(`${prefix}${SEALS_PATH}`, `${prefix}${sealPath(size)}`)) {
    yield keys.map((key) => key.slice(prefix.length));
  }
}

async function sealAt(parts: SealParts, workspaceId: string, path: string): Promise<PublishedCheckpoint> {
  try {
    const found = await readCheckpoint(parts, workspaceId, path);
    if (found !== undefined && sealPath(found.checkpoint.size) === path) return found;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
  }
  throw new SealRefusal(
    'archive_conflict',
    `object ${logPrefix(workspaceId)}${path}`,
    'The name is taken by something that is no checkpoint of this log. Put a delete marker on it.',
  );
}
