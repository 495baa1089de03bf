import { type Hash, HashFormatError, hashFromBase64, hashToBase64 } from './merkle.ts';
import { NoteError, openNote, type VerifierKey } from './signed-note.ts';
import { parseDecimal } from './text-forms.ts';

/** The head of a log's Merkle tree (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** The log's identity. */
  readonly origin: string;
  /** Leaves in the tree, at most 2^53 - 1. */
  readonly size: number;
  /** RFC 6962 section 2.1. */
  readonly root: Hash;
}

/**
 * The text of the note: origin, size and root hash (base64), each on a line.
 *
 * @throws NoteError when the origin is no line of text, or the size no number of leaves.
 * @throws HashFormatError when the root has not 32 bytes.
 */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (origin === '' || origin.includes('\n'))
    throw new NoteError('A checkpoint needs an origin of one line.');
  if (!Number.isSafeInteger(size) || size < 0)
    throw new NoteError('A checkpoint needs a size from 0 to 2^53 - 1.');
  return `${origin}\n${size}\n${hashToBase64(root)}\n`;
}

/**
 * Reads the text of a checkpoint. Lines after the third are extensions of other logs: they must not be empty, and mean
 * nothing here.
 *
 * @throws NoteError
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const end = lines.pop();
  const [origin, size, root] = lines;
  if (end !== '' || lines.includes('') || origin === undefined || size === undefined || root === undefined) {
    throw new NoteError('A checkpoint must have lines for origin, size and root, and no empty line.');
  }
  return { origin, size: parseSize(size), root: parseRoot(root) };
}

/**
 * Opens a signed checkpoint of the log `origin`.
 *
 * @param keys The keys that are trusted to sign for this log.
 * @throws NoteError when no such key signed it (see {@link openNote}), or it is of another log.
 */
export function openCheckpoint(note: string, origin: string, keys: readonly VerifierKey[]): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, keys).text);
  if (checkpoint.origin !== origin) throw new NoteError('The checkpoint is of another log.');
  return checkpoint;
}

function parseSize(text: string): number {
  const size = parseDecimal(text);
  if (size === undefined)
    throw new NoteError('The size of a checkpoint must be a decimal number below 2^53.');
  return size;
}

function parseRoot(text: string): Hash {
  try {
    return hashFromBase64(text);
  } catch (error) {
    if (!(error instanceof HashFormatError)) throw error;
    throw new NoteError('The root of a checkpoint must be a hash in base64.', { cause: error });
  }
}
