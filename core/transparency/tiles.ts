import { appendLeaves, EMPTY_FRONTIER, frontierRoot, HASH_BYTES, type Hash } from './merkle.ts';
import type { NodeId, NodeReader } from './proofs.ts';

/** Hashes in a full tile and entries in a full bundle: a tile is a subtree of height 8 (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const MAX_TILE_LEVEL = 63;
/** The largest complete subtree of a tree with 2^53 - 1 leaves has 2^52. */
const MAX_NODE_LEVEL = 52;
/** The length of an entry is a 16-bit number. */
const MAX_ENTRY_BYTES = 65_535;
const LENGTH_BYTES = 2;

/**
 * A hash tile. Level 0 holds leaf hashes; each hash of a level above is the root of a full tile of the level below.
 * `width` is the number of hashes: 1 to 255 in a partial tile, 256 in a full one.
 */
export interface TileRef {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** An entry bundle: the entries of the level 0 tile with this index and width. */
export interface BundleRef {
  readonly index: number;
  readonly width: number;
}

/** A tile or a bundle is missing or not of its form. */
export class TileError extends Error {
  override readonly name = 'TileError';
}

/**
 * The path of a hash tile, such as `tile/0/x001/234.p/5`.
 *
 * @throws RangeError for a tile that cannot be.
 */
export function tilePath(tile: TileRef): string {
  if (!isWhole(tile.level, 0, MAX_TILE_LEVEL)) throw new RangeError('A tile has a level from 0 to 63.');
  return `tile/${tile.level}/${indexPath(tile.index, tile.width)}`;
}

/**
 * The path of an entry bundle, such as `tile/entries/x001/234`.
 *
 * @throws RangeError for a bundle that cannot be.
 */
export function entriesPath(index: number, width: number): string {
  return `tile/entries/${indexPath(index, width)}`;
}

/**
 * The hash tiles of a tree of `newSize` leaves that a tree of `oldSize` leaves did not have, lowest level first. A
 * partial tile that became wider is a new tile.
 *
 * @throws RangeError unless 0 <= oldSize <= newSize <= 2^53 - 1.
 */
export function tilesOf(oldSize: number, newSize: number): TileRef[] {
  checkSizes(oldSize, newSize);
  const tiles: TileRef[] = [];
  for (let level = 0; TILE_WIDTH ** level <= newSize; level += 1) {
    const widenedTiles = widened(hashesAt(level, oldSize), hashesAt(level, newSize));
    tiles.push(...widenedTiles.map((tile) => ({ level, ...tile })));
  }
  return tiles;
}

/**
 * The entry bundles that belong to the new tiles of level 0 in {@link tilesOf}.
 *
 * @throws RangeError unless 0 <= oldSize <= newSize <= 2^53 - 1.
 */
export function bundlesOf(oldSize: number, newSize: number): BundleRef[] {
  checkSizes(oldSize, newSize);
  return widened(oldSize, newSize);
}

/**
 * An entry bundle: each entry after its length, 16 bits big-endian.
 *
 * @throws TileError for an entry over 65,535 bytes, and unless there are 1 to 256 entries.
 */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  checkEntryCount(entries.length);
  const bytes = Buffer.alloc(entries.reduce((total, entry) => total + LENGTH_BYTES + entry.length, 0));
  let position = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES)
      throw new TileError(`An entry has more than ${MAX_ENTRY_BYTES} bytes.`);
    position = bytes.writeUInt16BE(entry.length, position);
    bytes.set(entry, position);
    position += entry.length;
  }
  return bytes;
}

/**
 * The entries of a bundle, as views of its bytes.
 *
 * @throws TileError unless the bytes are 1 to 256 whole entries and nothing else.
 */
export function decodeEntries(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  let position = 0;
  while (position < bytes.length) {
    const start = position + LENGTH_BYTES;
    const end = start <= bytes.length ? start + view.getUint16(position) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new TileError('The entry bundle ends inside an entry.');
    entries.push(bytes.subarray(start, end));
    position = end;
  }
  checkEntryCount(entries.length);
  return entries;
}

/**
 * Reads nodes of the tree of `size` leaves through its tiles, each tile once per call and all at the same time: about a
 * dozen for the longest proof. A log may drop a partial tile once the full one of the same index is there, so that one
 * is tried next. Checks nothing but form: what the hashes are worth, a proof to a signed root shows.
 *
 * `nodes` rejects with a RangeError for a node that is not complete in the tree, with a TileError for a tile that is
 * missing or has the wrong length, and with whatever `read` throws.
 *
 * @param read The bytes at a path, or undefined where there is nothing.
 */
export function tileNodeReader(
  read: (path: string) => Promise<Uint8Array | undefined>,
  size: number,
): NodeReader {
  checkSizes(0, size);
  return {
    async nodes(ids) {
      const places = ids.map((id) => placeOf(id, size));
      const reads = new Map<string, Promise<Uint8Array>>();
      const nodeAt = async ({ tile, first, count }: NodePlace): Promise<Hash> => {
        const path = tilePath(tile);
        const bytes = reads.get(path) ?? readTile(read, tile);
        reads.set(path, bytes);
        return completeRoot(await bytes, first, count);
      };
      return Promise.all(places.map(nodeAt));
    },
  };
}

/** Where a node's tile is, and which of its hashes the node is the root of. */
interface NodePlace {
  readonly tile: TileRef;
  readonly first: number;
  readonly count: number;
}

function placeOf({ level, index }: NodeId, size: number): NodePlace {
  if (!isWhole(level, 0, MAX_NODE_LEVEL) || !isWhole(index, 0, Math.floor(size / 2 ** level) - 1)) {
    throw new RangeError('The node is not a complete subtree of a tree of this size.');
  }
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const tileIndex = Math.floor((index * count) / TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, hashesAt(tileLevel, size) - tileIndex * TILE_WIDTH);
  return {
    tile: { level: tileLevel, index: tileIndex, width },
    first: (index * count) % TILE_WIDTH,
    count,
  };
}

async function readTile(
  read: (path: string) => Promise<Uint8Array | undefined>,
  tile: TileRef,
): Promise<Uint8Array> {
  const path = tilePath(tile);
  const bytes = await read(path);
  if (bytes === undefined && tile.width < TILE_WIDTH) return readTile(read, { ...tile, width: TILE_WIDTH });
  if (bytes === undefined) throw new TileError(`There is no tile at ${path}.`);
  if (bytes.length !== tile.width * HASH_BYTES) {
    throw new TileError(`The tile at ${path} must have ${tile.width * HASH_BYTES} bytes.`);
  }
  return bytes;
}

function completeRoot(tile: Uint8Array, first: number, count: number): Hash {
  const hashes = Array.from({ length: count }, (_, at) =>
    tile.subarray((first + at) * HASH_BYTES, (first + at + 1) * HASH_BYTES),
  );
  return frontierRoot(appendLeaves(EMPTY_FRONTIER, hashes));
}

/** Hashes in all tiles of a level together. */
function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The tiles of one level that change when its hashes become more. */
function widened(before: number, after: number): BundleRef[] {
  if (before === after) return [];
  const first = Math.floor(before / TILE_WIDTH);
  return Array.from({ length: Math.ceil(after / TILE_WIDTH) - first }, (_, at) => {
    const index = first + at;
    return { index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) };
  });
}

/** Groups of three digits, all but the last marked with `x`; a partial tile carries its width. */
function indexPath(index: number, width: number): string {
  if (!isWhole(index, 0, Number.MAX_SAFE_INTEGER))
    throw new RangeError('A tile has an index from 0 to 2^53 - 1.');
  if (!isWhole(width, 1, TILE_WIDTH)) throw new RangeError(`A tile has a width from 1 to ${TILE_WIDTH}.`);
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const path = padded.replace(/\d{3}(?=\d)/g, 'x$&/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

function checkSizes(oldSize: number, newSize: number): void {
  if (!isWhole(newSize, 0, Number.MAX_SAFE_INTEGER) || !isWhole(oldSize, 0, newSize)) {
    throw new RangeError('The size of a tree goes from 0 to 2^53 - 1 and never falls.');
  }
}

function checkEntryCount(count: number): void {
  if (!isWhole(count, 1, TILE_WIDTH)) {
    throw new TileError(`An entry bundle has 1 to ${TILE_WIDTH} entries.`);
  }
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
