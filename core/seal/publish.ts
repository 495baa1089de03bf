import type { ObjectArchive } from '../archive/object-archive.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { unavailable } from '../kernel/errors.ts';
import { consistencyProof } from '../transparency/proofs.ts';
import { tileNodeReader } from '../transparency/tiles.ts';
import { newestSeal } from './later-seal.ts';
import { CHECKPOINT_PATH, logPrefix, sealPath } from './log-origin.ts';
import type { SealParts } from './parts.ts';
import { logReader } from './published-log.ts';
import { type Published, readPublished } from './read-standing.ts';
import { SealRefusal } from './refusal.ts';
import type { SealState } from './seal-state.ts';
import type { LogFile } from './tree-step.ts';

/** Objects written side by side. */
const WIDTH = 8;
const MAX_ATTEMPTS = 5;

/**
 * Makes a sealed tree public: what the checkpoint refers to first, and the checkpoint last, so that whoever sees it can
 * follow it. Every write but the last is of a name that nothing else can have, so that doing it again changes nothing.
 *
 * @param files what the tree has and the published one had not.
 * @param published what lay under the checkpoint's name when the step began.
 * @throws SealRefusal `archive_conflict` when a name is taken by other bytes.
 */
export async function publish(
  parts: SealParts,
  state: SealState,
  files: readonly LogFile[],
  published: Published,
): Promise<void> {
  const { workspaceId, size } = state;
  await concurrently(files, WIDTH, (file) => putOnce(parts.archive, workspaceId, file));
  const seal = { path: sealPath(size), bytes: Buffer.from(state.checkpoint, 'utf8') };
  await putOnce(parts.archive, workspaceId, seal);
  if (published.size < size) await putCheckpoint(parts, state, published);
  // Not known to have worked, it is done again by the next run; changed, another sealer has done it.
  if (state.publishedSize < size) {
    await parts.seals.replace({ ...state, version: state.version + 1, publishedSize: size }, []);
  }
}

/** Creates an object; one that is there already must have the same bytes. */
async function putOnce(archive: ObjectArchive, workspaceId: string, { path, bytes }: LogFile): Promise<void> {
  const key = `${logPrefix(workspaceId)}${path}`;
  const { status } = await archive.create(key, bytes);
  if (status === 'created') return;
  const found = await archive.read(key);
  if (found === undefined) throw unavailable('An object of the archive disappeared while it was written.');
  if (Buffer.compare(found.bytes, bytes) === 0) return;
  throw new SealRefusal(
    'archive_conflict',
    `object ${key}`,
    'The name is taken by other bytes than were sealed. Note the version as evidence and put a delete marker on the name.',
    { versionId: found.versionId },
  );
}

/** Puts the checkpoint over what was seen there, unless another sealer has published as much or more meanwhile. */
async function putCheckpoint(parts: SealParts, state: SealState, published: Published): Promise<void> {
  const { workspaceId, size, checkpoint } = state;
  const key = `${logPrefix(workspaceId)}${CHECKPOINT_PATH}`;
  const bytes = Buffer.from(`${checkpoint}${await cosignatures(parts, state)}`, 'utf8');
  let { etag } = published;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { status } =
      etag === undefined
        ? await parts.archive.create(key, bytes)
        : await parts.archive.replace(key, bytes, etag);
    if (status === 'created' || status === 'replaced') return;
    const now = await readPublished(parts, workspaceId);
    if (now.size >= size) return;
    etag = now.etag;
  }
  throw unavailable('The checkpoint in the archive keeps changing.');
}

/** The lines that witnesses add to the note. The tiles are public by now, so that consistency can be proved from them. */
async function cosignatures(
  parts: SealParts,
  { workspaceId, size, publishedSize, checkpoint: note }: SealState,
): Promise<string> {
  if (parts.cosign === undefined) return '';
  const nodes = tileNodeReader(logReader(parts, workspaceId), size);
  const lines = await parts.cosign.cosign(
    { workspaceId, size, previousSize: publishedSize, note },
    {
      prove: (from, to) => consistencyProof(nodes, from, to),
      // A seal is there before any witness is asked about it.
      newestSize: async () => (await newestSeal(parts, workspaceId, size))?.checkpoint.size ?? size,
    },
  );
  return lines.join('');
}
