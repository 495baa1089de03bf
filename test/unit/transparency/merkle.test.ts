import fc from 'fast-check';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  frontierRoot,
  HashFormatError,
  hashFromBase64,
  hashFromHex,
  hashToBase64,
  hashToHex,
  leafHash,
  nodeHash,
} from '../../../core/transparency/merkle.ts';
import { fromHex, toHex } from '../../support/bytes.ts';
import { numberedLeaves, recursiveRoot } from '../../support/merkle-trees.ts';
import vectors from '../../vectors/rfc6962.json';

const LEAVES = numberedLeaves(130);

describe('the reference tree of RFC 6962', () => {
  const leaves = vectors.leaves.map((entry) => leafHash(fromHex(entry)));

  it('has the published leaf hashes', () => {
    expect(leaves.map(toHex)).toEqual(vectors.levels[0]);
  });

  it('has the published inner nodes', () => {
    for (const [level, above] of vectors.levels.slice(1).entries()) {
      const below = (vectors.levels[level] ?? []).map(fromHex);
      const pairs = above.map((_, index) => below.slice(2 * index, 2 * index + 2));
      expect(pairs.map(([left, right]) => left && right && toHex(nodeHash(left, right)))).toEqual(above);
    }
  });

  it('has the published root at each size', () => {
    const roots = vectors.roots.map((_, size) =>
      frontierRoot(appendLeaves(EMPTY_FRONTIER, leaves.slice(0, size))),
    );
    expect(roots.map(toHex)).toEqual(vectors.roots);
    expect(toHex(EMPTY_ROOT)).toBe(vectors.roots[0]);
  });
});

describe('a frontier', () => {
  it('has the root that the recursive definition gives, at each size', () => {
    let frontier = EMPTY_FRONTIER;
    for (const [size, leaf] of LEAVES.entries()) {
      expect(frontier.size).toBe(size);
      expect(toHex(frontierRoot(frontier))).toBe(toHex(recursiveRoot(LEAVES.slice(0, size))));
      frontier = appendLeaves(frontier, [leaf]);
    }
  });

  it('is the same however the leaves are grouped, and leaves its predecessors alone', () => {
    const cuts = fc.array(fc.nat(LEAVES.length), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (positions) => {
        const bounds = [0, ...positions.sort((a, b) => a - b), LEAVES.length];
        const frontiers = [EMPTY_FRONTIER];
        for (const [at, end] of bounds.slice(1).entries()) {
          frontiers.push(appendLeaves(frontiers.at(-1) ?? EMPTY_FRONTIER, LEAVES.slice(bounds[at], end)));
        }
        expect(frontiers.at(-1)).toEqual(appendLeaves(EMPTY_FRONTIER, LEAVES));
        const roots = frontiers.map((frontier) => toHex(frontierRoot(frontier)));
        expect(roots).toEqual(bounds.map((end) => toHex(recursiveRoot(LEAVES.slice(0, end)))));
      }),
      { numRuns: 30 },
    );
  });

  it('holds 2^53 - 1 leaves and no more', () => {
    const [leaf] = numberedLeaves(1);
    if (leaf === undefined) throw new Error('no leaf');
    const almostFull = { size: 2 ** 53 - 2, hashes: Array.from({ length: 52 }, () => leaf) };
    const full = appendLeaves(almostFull, [leaf]);
    expect(full.size).toBe(Number.MAX_SAFE_INTEGER);
    expect(full.hashes).toHaveLength(53);
    expect(() => appendLeaves(full, [leaf])).toThrow(RangeError);
  });

  it.each([
    { frontier: { size: 2, hashes: [] } },
    { frontier: { size: 2, hashes: LEAVES.slice(0, 2) } },
    { frontier: { size: 0, hashes: LEAVES.slice(0, 1) } },
    { frontier: { size: -1, hashes: [] } },
    { frontier: { size: 0.5, hashes: [] } },
    { frontier: { size: 2 ** 53, hashes: LEAVES.slice(0, 1) } },
  ])('of size $frontier.size with $frontier.hashes.length hashes is refused', ({ frontier }) => {
    expect(() => frontierRoot(frontier)).toThrow(RangeError);
    expect(() => appendLeaves(frontier, [])).toThrow(RangeError);
  });
});

describe('a hash of another length is refused', () => {
  it.each([0, 31, 33])('%i bytes', (length) => {
    const [sound = EMPTY_ROOT] = LEAVES;
    const other = new Uint8Array(length);
    expect(() => nodeHash(sound, other)).toThrow(HashFormatError);
    expect(() => nodeHash(other, sound)).toThrow(HashFormatError);
    expect(() => appendLeaves(EMPTY_FRONTIER, [other])).toThrow(HashFormatError);
    expect(() => frontierRoot({ size: 1, hashes: [other] })).toThrow(HashFormatError);
    expect(() => hashToHex(other)).toThrow(HashFormatError);
    expect(() => hashToBase64(other)).toThrow(HashFormatError);
  });
});

describe('a hash as text', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(toHex(hashFromHex(hashToHex(bytes)))).toBe(toHex(bytes));
        expect(toHex(hashFromBase64(hashToBase64(bytes)))).toBe(toHex(bytes));
      }),
    );
  });

  const hex = toHex(EMPTY_ROOT);
  it.each([
    ['nothing', ''],
    ['upper case', hex.toUpperCase()],
    ['a digit less', hex.slice(1)],
    ['a byte more', `${hex}00`],
    ['a line more', `${hex}\n`],
    ['no digit', `g${hex.slice(1)}`],
  ])('in hex is refused with %s', (_, text) => {
    expect(() => hashFromHex(text)).toThrow(HashFormatError);
  });

  const base64 = hashToBase64(EMPTY_ROOT);
  it.each([
    ['nothing', ''],
    ['no padding', base64.slice(0, -1)],
    ['unused bits set', base64.replace('U=', 'V=')],
    ['the alphabet of URLs', base64.replaceAll('/', '_')],
    ['a space inside', `${base64.slice(0, 10)} ${base64.slice(10)}`],
    ['a newline behind', `${base64}\n`],
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
  ])('in base64 is refused with %s', (_, text) => {
    expect(text).not.toBe(base64);
    expect(() => hashFromBase64(text)).toThrow(HashFormatError);
  });
});
