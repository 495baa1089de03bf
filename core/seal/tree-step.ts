import {
  appendLeaves,
  EMPTY_FRONTIER,
  type Frontier,
  frontierRoot,
  type Hash,
  leafHash,
} from '../transparency/merkle.ts';
import {
  bundlesOf,
  encodeEntries,
  entriesPath,
  TILE_WIDTH,
  tilePath,
  tilesOf,
} from '../transparency/tiles.ts';

/** The right edge of a published tree: its partial tiles, which is where it grows. */
export interface TreeEdge {
  /** Leaves in the tree. */
  readonly size: number;
  /** By level, the hashes of the partial tile; none where the last tile is full. */
  readonly levels: readonly (readonly Hash[])[];
  /** The entries of the partial bundle. */
  readonly entries: readonly Uint8Array[];
}

/** A file of the log, by its path in the layout of C2SP tlog-tiles. */
export interface LogFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A tree after it has grown, and every file that it has and the smaller tree had not. */
export interface TreeStep {
  readonly frontier: Frontier;
  readonly root: Hash;
  readonly files: readonly LogFile[];
}

/** How wide the partial tile of a level is in a tree of `size` leaves; 0 where there is none. */
export function partialWidth(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** How many full tiles a level of the tree has: the index of the one that grows next. */
export function fullTiles(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** (level + 1));
}

/** The levels of a tree that have a hash. */
export function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0; TILE_WIDTH ** level <= size; level += 1) levels.push(level);
  return levels;
}

/** The frontier of the tree that an edge belongs to: the subtrees in its partial tiles, highest level first. */
export function edgeFrontier({ size, levels }: TreeEdge): Frontier {
  return {
    size,
    hashes: levels.toReversed().flatMap((hashes) => appendLeaves(EMPTY_FRONTIER, hashes).hashes),
  };
}

/**
 * Extends a tree by entries. It depends on nothing but the tree and the entries: whoever finishes what another began
 * gets the same files, to the byte.
 */
export function extendTree(edge: TreeEdge, entries: readonly Uint8Array[]): TreeStep {
  const size = edge.size + entries.length;
  const leaves = entries.map(leafHash);
  const frontier = appendLeaves(edgeFrontier(edge), leaves);

  const levels: Hash[][] = [];
  let added: readonly Hash[] = leaves;
  for (const level of levelsOf(size)) {
    const hashes = [...(edge.levels[level] ?? []), ...added];
    levels.push(hashes);
    added = tileRoots(hashes);
  }

  const bundled = [...edge.entries, ...entries];
  const bundles = bundlesOf(edge.size, size).map(({ index, width }): LogFile => {
    const first = (index - fullTiles(0, edge.size)) * TILE_WIDTH;
    return { path: entriesPath(index, width), bytes: encodeEntries(bundled.slice(first, first + width)) };
  });
  const tiles = tilesOf(edge.size, size).map((tile): LogFile => {
    const first = (tile.index - fullTiles(tile.level, edge.size)) * TILE_WIDTH;
    const hashes = (levels[tile.level] ?? []).slice(first, first + tile.width);
    return { path: tilePath(tile), bytes: Buffer.concat(hashes) };
  });
  return { frontier, root: frontierRoot(frontier), files: [...bundles, ...tiles] };
}

/** The roots of the full tiles among hashes that begin where a tile begins: the level above. */
function tileRoots(hashes: readonly Hash[]): Hash[] {
  const roots: Hash[] = [];
  for (let end = TILE_WIDTH; end <= hashes.length; end += TILE_WIDTH) {
    roots.push(frontierRoot(appendLeaves(EMPTY_FRONTIER, hashes.slice(end - TILE_WIDTH, end))));
  }
  return roots;
}
