import { HASH_BYTES, type Hash, leafHash, sameHash } from '../transparency/merkle.ts';
import { decodeEntries, entriesPath, TileError, tilePath } from '../transparency/tiles.ts';
import { logPrefix } from './log-origin.ts';
import type { SealParts } from './parts.ts';
import { logReader } from './published-log.ts';
import { SealRefusal } from './refusal.ts';
import { fullTiles, levelsOf, partialWidth, type TreeEdge } from './tree-step.ts';

/**
 * Reads the right edge of the published tree of `size` leaves. Its entries are known to be those of its leaf hashes;
 * whether these are the tree's, the root of what is built from them shows.
 *
 * @throws SealRefusal `archive_conflict` when a file is missing or not of its form.
 */
export async function readEdge(
  parts: Pick<SealParts, 'archive'>,
  workspaceId: string,
  size: number,
): Promise<TreeEdge> {
  const read = logReader(parts, workspaceId);
  const damaged = (path: string): SealRefusal =>
    new SealRefusal(
      'archive_conflict',
      `object ${logPrefix(workspaceId)}${path}`,
      'A file of the published tree is missing or was replaced. Make the version that was published first current again.',
    );
  const hashesAt = async (level: number): Promise<Hash[]> => {
    const width = partialWidth(level, size);
    if (width === 0) return [];
    const path = tilePath({ level, index: fullTiles(level, size), width });
    const bytes = await read(path);
    if (bytes?.length !== width * HASH_BYTES) throw damaged(path);
    return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
  };
  const levels = await Promise.all(levelsOf(size).map(hashesAt));
  const [leaves = []] = levels;
  if (leaves.length === 0) return { size, levels, entries: [] };

  const path = entriesPath(fullTiles(0, size), leaves.length);
  const entries = entriesIn(await read(path));
  const fits = entries.length === leaves.length && entries.every((entry, at) => isLeaf(entry, leaves[at]));
  if (!fits) throw damaged(path);
  return { size, levels, entries };
}

function isLeaf(entry: Uint8Array, hash: Hash | undefined): boolean {
  return hash !== undefined && sameHash(leafHash(entry), hash);
}

/** The entries of a bundle; none where there is no bundle. */
function entriesIn(bytes: Uint8Array | undefined): Uint8Array[] {
  try {
    return bytes === undefined ? [] : decodeEntries(bytes);
  } catch (error) {
    if (error instanceof TileError) return [];
    throw error;
  }
}
