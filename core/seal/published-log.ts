import { isUtf8 } from 'node:buffer';
import type { ObjectArchive } from '../archive/object-archive.ts';
import type { MessageSigner } from '../crypto/message-signer.ts';
import { type Checkpoint, openCheckpoint } from '../transparency/checkpoint.ts';
import type { NodeReader } from '../transparency/proofs.ts';
import { NoteError, type VerifierKey, verifierKey } from '../transparency/signed-note.ts';
import { tileNodeReader } from '../transparency/tiles.ts';
import { CHECKPOINT_PATH, logOrigin, logPrefix } from './log-origin.ts';

export interface LogParts {
  readonly archive: Pick<ObjectArchive, 'read'>;
  readonly signer: Pick<MessageSigner, 'publicKeys'>;
  readonly logName: string;
}

/** The checkpoint that the world sees, with a signature of ours that was verified. */
export interface PublishedCheckpoint {
  /** The signed note as it is published, cosignatures of witnesses included. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  /** Changes with each version of the object. */
  readonly etag: string;
}

/** A workspace's log as it lies in the archive. Only the checkpoint is verified: the rest must be proved to its root. */
export interface PublishedLog extends PublishedCheckpoint {
  readonly workspaceId: string;
  /** The bytes at a path of C2SP tlog-tiles, such as `tile/0/000.p/5`; undefined where there is nothing. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>;
  /** Reads nodes of the checkpoint's tree from its tiles. */
  readonly nodes: NodeReader;
}

/** What lies under the name of a checkpoint is none that our key signed for this log. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  /** The ETag of the object. */
  readonly etag: string;

  constructor(key: string, etag: string, cause: unknown) {
    super(`The object ${key} is no checkpoint of this log that our key signed.`, { cause });
    this.etag = etag;
  }
}

/** The keys that sign for a log: the current one first. They differ from another log's by their name only. */
export async function logKeys({ signer }: Pick<LogParts, 'signer'>, origin: string): Promise<VerifierKey[]> {
  const keys = await signer.publicKeys();
  return keys.map(({ publicKey }) => verifierKey(origin, publicKey));
}

/**
 * The published checkpoint of a workspace's log; undefined before the first seal.
 *
 * @param path that of the newest checkpoint, or of one that is kept for good (`sealPath`).
 * @throws CheckpointError when what is published is not signed by our key, or for another log.
 * @throws VaultError `unavailable`.
 */
export async function readCheckpoint(
  parts: LogParts,
  workspaceId: string,
  path = CHECKPOINT_PATH,
): Promise<PublishedCheckpoint | undefined> {
  const key = `${logPrefix(workspaceId)}${path}`;
  const object = await parts.archive.read(key);
  if (object === undefined) return undefined;
  const origin = logOrigin(parts.logName, workspaceId);
  const keys = await logKeys(parts, origin);
  try {
    const note = noteText(object.bytes);
    return { note, checkpoint: openCheckpoint(note, origin, keys), etag: object.etag };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new CheckpointError(key, object.etag, error);
  }
}

/**
 * Opens the published log of a workspace at its checkpoint; undefined before the first seal.
 *
 * @param path as of {@link readCheckpoint}.
 * @throws CheckpointError, VaultError `unavailable` like {@link readCheckpoint}.
 */
export async function openPublishedLog(
  parts: LogParts,
  workspaceId: string,
  path = CHECKPOINT_PATH,
): Promise<PublishedLog | undefined> {
  const published = await readCheckpoint(parts, workspaceId, path);
  if (published === undefined) return undefined;
  const read = logReader(parts, workspaceId);
  return { ...published, workspaceId, read, nodes: tileNodeReader(read, published.checkpoint.size) };
}

/** Reads the log by the paths of C2SP tlog-tiles. */
export function logReader(
  { archive }: Pick<LogParts, 'archive'>,
  workspaceId: string,
): (path: string) => Promise<Uint8Array | undefined> {
  return async (path) => (await archive.read(`${logPrefix(workspaceId)}${path}`))?.bytes;
}

/** A replaced character would make another note. */
function noteText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new NoteError('A note must be UTF-8.');
  return Buffer.from(bytes).toString('utf8');
}
