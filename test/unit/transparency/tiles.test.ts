import fc from 'fast-check';
import { appendLeaves, EMPTY_FRONTIER, frontierRoot, type Hash } from '../../../core/transparency/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  type NodeId,
  subtrees,
  verifyConsistency,
  verifyInclusion,
} from '../../../core/transparency/proofs.ts';
import {
  bundlesOf,
  decodeEntries,
  encodeEntries,
  entriesPath,
  TileError,
  type TileRef,
  tileNodeReader,
  tilePath,
  tilesOf,
} from '../../../core/transparency/tiles.ts';
import { toHex } from '../../support/bytes.ts';
import { completeLevels, numberedLeaves } from '../../support/merkle-trees.ts';

const LEAVES = numberedLeaves(65_537);
const LEVELS = completeLevels(LEAVES);
/** Stands where there is no hash: no test expects it. */
const NO_HASH = new Uint8Array(0);

const rootOf = (size: number): Hash => frontierRoot(appendLeaves(EMPTY_FRONTIER, LEAVES.slice(0, size)));

describe('paths', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 0, index: 999, width: 256 }, 'tile/0/999'],
    [{ level: 0, index: 1000, width: 256 }, 'tile/0/x001/000'],
    [{ level: 3, index: 1_234_067, width: 256 }, 'tile/3/x001/x234/067'],
    [{ level: 63, index: 1_234_067, width: 5 }, 'tile/63/x001/x234/067.p/5'],
    [{ level: 0, index: 0, width: 255 }, 'tile/0/000.p/255'],
    [{ level: 0, index: 2 ** 53 - 1, width: 1 }, 'tile/0/x009/x007/x199/x254/x740/991.p/1'],
  ])('%o', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(entriesPath(tile.index, tile.width)).toBe(path.replace(/^tile\/\d+/, 'tile/entries'));
  });

  it.each([
    { level: -1, index: 0, width: 1 },
    { level: 64, index: 0, width: 1 },
    { level: 0.5, index: 0, width: 1 },
    { level: 0, index: -1, width: 1 },
    { level: 0, index: 2 ** 53, width: 1 },
    { level: 0, index: 0, width: 0 },
    { level: 0, index: 0, width: 257 },
  ])('$level/$index of width $width has none', (tile) => {
    expect(() => tilePath(tile)).toThrow(RangeError);
  });

  it('of bundles that cannot be do not exist', () => {
    expect(() => entriesPath(-1, 1)).toThrow(RangeError);
    expect(() => entriesPath(0, 0)).toThrow(RangeError);
    expect(() => entriesPath(0, 257)).toThrow(RangeError);
  });
});

describe('the tiles of a tree', () => {
  const summary = (tiles: readonly TileRef[]): string[] => {
    const kinds = Map.groupBy(tiles, ({ level, width }) => `level ${level} width ${width}`);
    return [...kinds].map(([kind, same]) => `${same.length} of ${kind}`);
  };

  it('of 70,000 leaves are those of the specification', () => {
    expect(summary(tilesOf(0, 70_000))).toEqual([
      '273 of level 0 width 256',
      '1 of level 0 width 112',
      '1 of level 1 width 256',
      '1 of level 1 width 17',
      '1 of level 2 width 1',
    ]);
  });

  it('of 256 leaves are a full one and one of a single hash above', () => {
    expect(summary(tilesOf(0, 256))).toEqual(['1 of level 0 width 256', '1 of level 1 width 1']);
  });

  it('of no leaves, and those that a tree of the same size lacks, are none', () => {
    expect(tilesOf(0, 0)).toEqual([]);
    expect(tilesOf(70_000, 70_000)).toEqual([]);
    expect(bundlesOf(0, 0)).toEqual([]);
  });

  /** By the formulas of the specification: full tiles by division, a partial one from the remainder. */
  function definedTiles(size: number): Map<string, TileRef> {
    const tiles: TileRef[] = [];
    for (let level = 0; Math.floor(size / 256 ** level) > 0; level += 1) {
      const full = Math.floor(size / 256 ** (level + 1));
      for (let index = 0; index < full; index += 1) tiles.push({ level, index, width: 256 });
      const width = Math.floor(size / 256 ** level) % 256;
      if (width > 0) tiles.push({ level, index: full, width });
    }
    return new Map(tiles.map((tile) => [tilePath(tile), tile]));
  }

  const sizes = fc.oneof(
    fc.nat(1_100),
    fc.integer({ min: 65_000, max: 66_200 }),
    fc.constantFrom(255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537),
  );

  it('that a smaller tree lacks are those that only the larger one has', () => {
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)];
        const before = definedTiles(oldSize);
        const added = [...definedTiles(newSize)].filter(([path]) => !before.has(path));
        expect(tilesOf(oldSize, newSize).map(tilePath)).toEqual(added.map(([path]) => path));
        const bundles = added.filter(([, tile]) => tile.level === 0);
        expect(bundlesOf(oldSize, newSize).map(({ index, width }) => entriesPath(index, width))).toEqual(
          bundles.map(([path]) => path.replace('tile/0/', 'tile/entries/')),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('of the largest tree are counted without rounding', () => {
    const added = tilesOf(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER);
    expect(added).toEqual([{ level: 0, index: 2 ** 45 - 1, width: 255 }]);
  });

  it.each([
    [2, 1],
    [-1, 1],
    [0, 0.5],
    [0, 2 ** 53],
  ])('from %d to %d leaves are refused', (oldSize, newSize) => {
    expect(() => tilesOf(oldSize, newSize)).toThrow(RangeError);
    expect(() => bundlesOf(oldSize, newSize)).toThrow(RangeError);
  });
});

describe('an entry bundle', () => {
  it('has the length before each entry', () => {
    const bytes = encodeEntries([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 0x7a)]);
    expect(toHex(bytes)).toBe(`0002616200000102${'7a'.repeat(258)}`);
  });

  it('is read back as it was written, also from the middle of a larger buffer', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(entries, (written) => {
        const larger = Buffer.concat([Buffer.alloc(3, 0xff), encodeEntries(written), Buffer.alloc(3, 0xff)]);
        expect(decodeEntries(larger.subarray(3, -3)).map(toHex)).toEqual(written.map(toHex));
      }),
      { numRuns: 30 },
    );
  });

  it('holds entries of 65,535 bytes and none above', () => {
    const longest = Buffer.alloc(65_535, 1);
    const lengths = decodeEntries(encodeEntries([longest, longest])).map((entry) => entry.length);
    expect(lengths).toEqual([65_535, 65_535]);
    expect(() => encodeEntries([Buffer.alloc(65_536)])).toThrow(TileError);
  });

  it('holds 1 to 256 entries', () => {
    const empty = Array.from({ length: 257 }, () => new Uint8Array(0));
    expect(decodeEntries(encodeEntries(empty.slice(1)))).toHaveLength(256);
    expect(() => encodeEntries(empty)).toThrow(TileError);
    expect(() => encodeEntries([])).toThrow(TileError);
    expect(() => decodeEntries(new Uint8Array(2 * 257))).toThrow(TileError);
    expect(() => decodeEntries(new Uint8Array(0))).toThrow(TileError);
  });

  it('that was cut inside an entry is refused', () => {
    const bytes = encodeEntries([Buffer.from('abc'), Buffer.from('de')]);
    for (const cut of [1, 2, 3, 4, 6, 7, 8]) {
      expect(() => decodeEntries(bytes.subarray(0, cut))).toThrow(TileError);
    }
    expect(decodeEntries(bytes.subarray(0, 5))).toHaveLength(1);
    expect(decodeEntries(bytes)).toHaveLength(2);
  });
});

/** Tiles as files, and which of them were read. */
class TileFiles {
  readonly reads: string[] = [];
  readonly #files = new Map<string, Uint8Array>();

  constructor(tiles: readonly TileRef[]) {
    for (const { level, index, width } of tiles) {
      const hashes = (LEVELS[8 * level] ?? []).slice(index * 256, index * 256 + width);
      this.#files.set(tilePath({ level, index, width }), Buffer.concat(hashes));
    }
  }

  readonly read = async (path: string): Promise<Uint8Array | undefined> => {
    this.reads.push(path);
    return this.#files.get(path);
  };
}

describe('nodes read through tiles', () => {
  const sizes = [1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537];

  it.each(sizes)('are those of the tree of %i leaves, from each tile once', async (size) => {
    const tiles = new TileFiles(tilesOf(0, size));
    const ids = sampleNodes(size);
    const nodes = await tileNodeReader(tiles.read, size).nodes(ids);
    expect(nodes.map(toHex)).toEqual(ids.map(({ level, index }) => toHex(LEVELS[level]?.[index] ?? NO_HASH)));
    expect(new Set(tiles.reads).size).toBe(tiles.reads.length);
  });

  /** Up to 64 or so nodes of each level, the first and the last among them. */
  function sampleNodes(size: number): NodeId[] {
    return LEVELS.flatMap((_, level) => {
      const count = Math.floor(size / 2 ** level);
      const step = Math.max(1, Math.floor(count / 64));
      const indexes = Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
      if (count > 0) indexes.push(count - 1);
      return indexes.map((index) => ({ level, index }));
    });
  }

  it.each(sizes)('lead to the root and to proofs in the tree of %i leaves', async (size) => {
    const reader = tileNodeReader(new TileFiles(tilesOf(0, size)).read, size);
    const root = rootOf(size);
    expect(toHex(frontierRoot({ size, hashes: await reader.nodes(subtrees(0, size)) }))).toBe(toHex(root));
    for (const index of new Set([0, size >> 1, size - 1])) {
      const proof = await inclusionProof(reader, index, size);
      verifyInclusion(LEAVES[index] ?? NO_HASH, index, size, proof, root);
    }
    const from = Math.ceil(size / 3);
    verifyConsistency(from, rootOf(from), size, root, await consistencyProof(reader, from, size));
  });

  it('come from tiles that were written step by step', async () => {
    const steps = [0, 100, 256, 300, 4_396, 65_536, 65_537];
    const tiles = new TileFiles(steps.slice(1).flatMap((size, at) => tilesOf(steps[at] ?? 0, size)));
    for (const size of steps) {
      const hashes = await tileNodeReader(tiles.read, size).nodes(subtrees(0, size));
      expect(toHex(frontierRoot({ size, hashes }))).toBe(toHex(rootOf(size)));
    }
  });

  it('come from the full tile where the partial one was dropped', async () => {
    const tiles = new TileFiles(tilesOf(0, 512));
    const nodes = await tileNodeReader(tiles.read, 300).nodes([{ level: 5, index: 8 }]);
    expect(nodes.map(toHex)).toEqual([toHex(LEVELS[5]?.[8] ?? NO_HASH)]);
    expect(tiles.reads).toEqual(['tile/0/001.p/44', 'tile/0/001']);
  });

  it.each([
    ['the tile is missing', undefined],
    ['the tile lacks a byte', new Uint8Array(44 * 32 - 1)],
    ['the tile has a hash too many', new Uint8Array(45 * 32)],
    ['the tile is empty', new Uint8Array(0)],
  ])('are refused when %s', async (_, bytes) => {
    const reader = tileNodeReader(async (path) => (path.endsWith('.p/44') ? bytes : undefined), 300);
    await expect(reader.nodes([{ level: 0, index: 256 }])).rejects.toThrow(TileError);
  });

  it('are refused when the full tile in place of a partial one is not full', async () => {
    const bytes = new Uint8Array(44 * 32);
    const reader = tileNodeReader(async (path) => (path.endsWith('.p/44') ? undefined : bytes), 300);
    await expect(reader.nodes([{ level: 0, index: 256 }])).rejects.toThrow(TileError);
  });

  it('fail as the reading of a tile fails', async () => {
    const reader = tileNodeReader(() => Promise.reject(new Error('no answer')), 300);
    const ids = [
      { level: 0, index: 0 },
      { level: 0, index: 299 },
    ];
    await expect(reader.nodes(ids)).rejects.toThrow('no answer');
  });

  it.each([
    { level: 0, index: 300 },
    { level: 8, index: 1 },
    { level: 9, index: 0 },
    { level: -1, index: 0 },
    { level: 0, index: -1 },
    { level: 0.5, index: 0 },
    { level: 0, index: 0.5 },
  ])('are none at $level/$index in a tree of 300 leaves', async (id) => {
    const tiles = new TileFiles(tilesOf(0, 300));
    const reader = tileNodeReader(tiles.read, 300);
    await expect(reader.nodes([{ level: 0, index: 0 }, id])).rejects.toThrow(RangeError);
    expect(tiles.reads).toEqual([]);
  });
});
