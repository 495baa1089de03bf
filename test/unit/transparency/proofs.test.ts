import fc from 'fast-check';
import { EMPTY_ROOT, frontierRoot, type Hash } from '../../../core/transparency/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  type NodeReader,
  ProofError,
  subtrees,
  verifyConsistency,
  verifyInclusion,
} from '../../../core/transparency/proofs.ts';
import { flipBit, fromHex, toHex } from '../../support/bytes.ts';
import {
  completeLevels,
  levelsReader,
  node,
  numberedLeaves,
  recursiveRoot,
  splitOf,
} from '../../support/merkle-trees.ts';
import tree from '../../vectors/rfc6962.json';
import published from '../../vectors/rfc6962-proofs.json';

const MAX_SIZE = 70;
const LEAVES = numberedLeaves(MAX_SIZE);
const ROOTS = Array.from({ length: MAX_SIZE + 1 }, (_, size) => recursiveRoot(LEAVES.slice(0, size)));
const READER = levelsReader(completeLevels(LEAVES));

const leafAt = (index: number): Hash => LEAVES[index] ?? EMPTY_ROOT;
const rootAt = (size: number): Hash => ROOTS[size] ?? EMPTY_ROOT;
const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');

describe('the published proofs', () => {
  it.each(published.inclusion)('inclusion $case: $valid', ({ valid, index, size, root, leafHash, proof }) => {
    const check = () =>
      verifyInclusion(fromBase64(leafHash), index, size, proof.map(fromBase64), fromBase64(root));
    if (valid) check();
    else expect(check).toThrow(ProofError);
  });

  it.each(published.consistency)('consistency $case: $valid', (vector) => {
    const { valid, from, to, fromRoot, toRoot, proof } = vector;
    const [oldRoot, newRoot] = [fromBase64(fromRoot), fromBase64(toRoot)];
    const check = () => verifyConsistency(from, oldRoot, to, newRoot, proof.map(fromBase64));
    // One vector compares words that are no hashes with each other.
    if (valid && oldRoot.length === 32) check();
    else expect(check).toThrow(ProofError);
  });

  const reader = levelsReader(tree.levels.map((level) => level.map(fromHex)));

  it('are the ones made here', async () => {
    const inclusions = published.inclusion.filter(({ valid }) => valid);
    const consistencies = published.consistency.filter(({ valid }) => valid);
    expect([inclusions.length, consistencies.length]).toEqual([6, 6]);
    for (const { index, size, proof } of inclusions) {
      expect((await inclusionProof(reader, index, size)).map(toBase64)).toEqual(proof);
    }
    for (const { from, to, proof } of consistencies) {
      expect((await consistencyProof(reader, from, to)).map(toBase64)).toEqual(proof);
    }
  });

  const toBase64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64');
});

it('the tree of seven leaves has the proofs that RFC 6962 section 2.1.3 shows', async () => {
  const [a, b, c, d, e, f, j] = numberedLeaves(7);
  if (!(a && b && c && d && e && f && j)) throw new Error('seven leaves');
  const [g, h, i] = [node(a, b), node(c, d), node(e, f)];
  const [k, l] = [node(g, h), node(i, j)];
  const texts = (hashes: readonly Hash[]): string[] => hashes.map(toHex);
  expect(texts(await inclusionProof(READER, 0, 7))).toEqual(texts([b, h, l]));
  expect(texts(await inclusionProof(READER, 3, 7))).toEqual(texts([c, g, l]));
  expect(texts(await inclusionProof(READER, 4, 7))).toEqual(texts([f, j, k]));
  expect(texts(await inclusionProof(READER, 6, 7))).toEqual(texts([i, k]));
  expect(texts(await consistencyProof(READER, 3, 7))).toEqual(texts([c, d, g, l]));
  expect(texts(await consistencyProof(READER, 4, 7))).toEqual(texts([l]));
  expect(texts(await consistencyProof(READER, 6, 7))).toEqual(texts([i, j, k]));
});

describe(`up to ${MAX_SIZE} leaves`, () => {
  it('each leaf is proven in each tree', async () => {
    let proofs = 0;
    for (let size = 1; size <= MAX_SIZE; size += 1) {
      for (let index = 0; index < size; index += 1) {
        verifyInclusion(leafAt(index), index, size, await inclusionProof(READER, index, size), rootAt(size));
        proofs += 1;
      }
    }
    expect(proofs).toBe((MAX_SIZE * (MAX_SIZE + 1)) / 2);
  });

  it('each tree is proven to be the beginning of each larger one', async () => {
    let proofs = 0;
    for (let to = 0; to <= MAX_SIZE; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const proof = await consistencyProof(READER, from, to);
        verifyConsistency(from, rootAt(from), to, rootAt(to), proof);
        if (from === 0 || from === to) expect(proof).toEqual([]);
        proofs += 1;
      }
    }
    expect(proofs).toBe(((MAX_SIZE + 1) * (MAX_SIZE + 2)) / 2);
  });
});

/** How a list of hashes can be changed: one bit, one dropped, one doubled, two swapped, one put in. */
type Damage = (hashes: readonly Hash[], at: number, bit: number) => readonly Hash[];
const damages: readonly Damage[] = [
  (hashes, at, bit) => hashes.map((hash, index) => (index === at ? flipBit(hash, bit) : hash)),
  (hashes, at) => hashes.filter((_, index) => index !== at),
  (hashes, at) => hashes.flatMap((hash, index) => (index === at ? [hash, hash] : [hash])),
  (hashes, at) => [...hashes.slice(0, at), ...hashes.slice(at).reverse()],
  (hashes, at) => [...hashes.slice(0, at), EMPTY_ROOT, ...hashes.slice(at)],
];
const place = { at: fc.nat(7), bit: fc.nat(255), damage: fc.constantFrom(...damages) };
const differ = (a: readonly Hash[], b: readonly Hash[]): boolean =>
  a.map(toHex).join() !== b.map(toHex).join();

describe('a damaged inclusion proof is refused', () => {
  const leafIn = fc
    .integer({ min: 1, max: MAX_SIZE })
    .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1), ...place }));

  it('with one change in its hashes', async () => {
    const property = fc.asyncProperty(leafIn, async ({ size, index, at, bit, damage }) => {
      const proof = await inclusionProof(READER, index, size);
      const damaged = damage(proof, at, bit);
      fc.pre(differ(proof, damaged));
      expect(() => verifyInclusion(leafAt(index), index, size, damaged, rootAt(size))).toThrow(ProofError);
    });
    await fc.assert(property, { numRuns: 400 });
  });

  it('with another leaf or root', async () => {
    const property = fc.asyncProperty(leafIn, async ({ size, index, bit }) => {
      const proof = await inclusionProof(READER, index, size);
      const [leaf, root] = [leafAt(index), rootAt(size)];
      expect(() => verifyInclusion(flipBit(leaf, bit), index, size, proof, root)).toThrow(ProofError);
      expect(() => verifyInclusion(leaf, index, size, proof, flipBit(root, bit))).toThrow(ProofError);
    });
    await fc.assert(property);
  });

  it('with another index', async () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(READER, index, size);
        for (let other = -1; other <= size; other += 1) {
          if (other === index) continue;
          const check = () => verifyInclusion(leafAt(index), other, size, proof, rootAt(size));
          expect(check).toThrow(ProofError);
        }
      }
    }
  });

  it('with another size, unless the leaf lies there on the same path', async () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof(READER, index, size);
        for (let other = 0; other <= 40; other += 1) {
          const check = () => verifyInclusion(leafAt(index), index, other, proof, rootAt(size));
          if (index < other && pathTo(index, other) === pathTo(index, size)) check();
          else expect(check).toThrow(ProofError);
        }
      }
    }
  });

  /** The turns from the root down to a leaf: that is all that a proof says about the size, so the checkpoint says it. */
  function pathTo(index: number, size: number): string {
    if (size <= 1) return '';
    const split = splitOf(size);
    return index < split ? `L${pathTo(index, split)}` : `R${pathTo(index - split, size - split)}`;
  }
});

describe('a damaged consistency proof is refused', () => {
  const growth = fc
    .integer({ min: 2, max: MAX_SIZE })
    .chain((to) => fc.record({ to: fc.constant(to), from: fc.integer({ min: 1, max: to - 1 }), ...place }));

  it('with one change in its hashes', async () => {
    const property = fc.asyncProperty(growth, async ({ from, to, at, bit, damage }) => {
      const proof = await consistencyProof(READER, from, to);
      const damaged = damage(proof, at, bit);
      fc.pre(differ(proof, damaged));
      expect(() => verifyConsistency(from, rootAt(from), to, rootAt(to), damaged)).toThrow(ProofError);
    });
    await fc.assert(property, { numRuns: 400 });
  });

  it('with another root', async () => {
    const property = fc.asyncProperty(growth, async ({ from, to, bit }) => {
      const proof = await consistencyProof(READER, from, to);
      const [oldRoot, newRoot] = [rootAt(from), rootAt(to)];
      expect(() => verifyConsistency(from, flipBit(oldRoot, bit), to, newRoot, proof)).toThrow(ProofError);
      expect(() => verifyConsistency(from, oldRoot, to, flipBit(newRoot, bit), proof)).toThrow(ProofError);
    });
    await fc.assert(property);
  });

  it('for a tree that changed anywhere in its beginning', async () => {
    const property = fc.asyncProperty(growth, fc.nat(), async ({ from, to, bit }, place) => {
      const forged = LEAVES.map((leaf, index) => (index === place % from ? flipBit(leaf, bit) : leaf));
      const proof = await consistencyProof(levelsReader(completeLevels(forged)), from, to);
      const forgedRoot = recursiveRoot(forged.slice(0, to));
      expect(() => verifyConsistency(from, rootAt(from), to, forgedRoot, proof)).toThrow(ProofError);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it('from and to sizes that are none', () => {
    const [one, two] = [rootAt(1), rootAt(2)];
    expect(() => verifyConsistency(2, two, 1, one, [])).toThrow(ProofError);
    expect(() => verifyConsistency(-1, one, 1, one, [])).toThrow(ProofError);
    expect(() => verifyConsistency(1, one, 1.5, two, [leafAt(1)])).toThrow(ProofError);
    expect(() => verifyConsistency(1, one, 2 ** 53, two, [leafAt(1)])).toThrow(ProofError);
  });

  it('from the empty tree and to itself, if it has hashes or the roots differ', () => {
    const [empty, one] = [rootAt(0), rootAt(1)];
    expect(() => verifyConsistency(0, empty, 1, one, [one])).toThrow(ProofError);
    expect(() => verifyConsistency(0, one, 1, one, [])).toThrow(ProofError);
    expect(() => verifyConsistency(0, empty, 0, one, [])).toThrow(ProofError);
    expect(() => verifyConsistency(1, one, 1, one, [one])).toThrow(ProofError);
    expect(() => verifyConsistency(1, one, 1, empty, [])).toThrow(ProofError);
  });
});

it('hashes of another length are refused', () => {
  const [leaf, sibling, root] = [leafAt(0), leafAt(1), rootAt(2)];
  for (const odd of [root.subarray(1), Buffer.concat([root, Buffer.alloc(1)])]) {
    expect(() => verifyInclusion(odd, 0, 1, [], odd)).toThrow(ProofError);
    expect(() => verifyInclusion(leaf, 0, 2, [odd], root)).toThrow(ProofError);
    expect(() => verifyConsistency(1, odd, 1, odd, [])).toThrow(ProofError);
    expect(() => verifyConsistency(1, leaf, 2, root, [sibling, odd])).toThrow(ProofError);
  }
});

describe('the largest tree', () => {
  const size = Number.MAX_SAFE_INTEGER;
  /** All leaves are the same, so that one hash stands for all subtrees of a height. */
  const heights = Array.from({ length: 52 }).reduce<Hash[]>(
    (made) => [...made, node(made.at(-1) ?? EMPTY_ROOT, made.at(-1) ?? EMPTY_ROOT)],
    [leafAt(0)],
  );
  const reader: NodeReader = {
    nodes: async (ids) => ids.map(({ level }) => heights[level] ?? EMPTY_ROOT),
  };
  const rootOf = (leaves: number): Hash =>
    frontierRoot({
      size: leaves,
      hashes: subtrees(0, leaves).map(({ level }) => heights[level] ?? EMPTY_ROOT),
    });

  it.each([0, 1, 2 ** 31, 2 ** 32 + 5, 2 ** 52 - 1, 2 ** 52, size - 2, size - 1])(
    'has a proof for leaf %i',
    async (index) => {
      const proof = await inclusionProof(reader, index, size);
      expect(proof.length).toBeLessThanOrEqual(53);
      verifyInclusion(leafAt(0), index, size, proof, rootOf(size));
    },
  );

  it.each([1, 2 ** 31 - 1, 2 ** 32 + 5, 2 ** 52 - 1, 2 ** 52, size - 1])(
    'begins with the tree of %i leaves',
    async (from) => {
      const proof = await consistencyProof(reader, from, size);
      expect(proof.length).toBeLessThanOrEqual(54);
      verifyConsistency(from, rootOf(from), size, rootOf(size), proof);
    },
  );
});

describe('subtrees', () => {
  it('cover the range without gap or overlap, aligned, and two of them never make one', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        const [begin, end] = [Math.min(a, b), Math.max(a, b)];
        let next = BigInt(begin);
        const ids = subtrees(begin, end);
        for (const { level, index } of ids) {
          expect(BigInt(index) * 2n ** BigInt(level)).toBe(next);
          next += 2n ** BigInt(level);
        }
        expect(next).toBe(BigInt(end));
        expect(ids.length).toBeLessThanOrEqual(104);
        for (const [at, left] of ids.slice(0, -1).entries()) {
          const isPair = left.level === ids[at + 1]?.level && left.index % 2 === 0;
          expect(isPair).toBe(false);
        }
      }),
    );
    expect(subtrees(5, 5)).toEqual([]);
  });

  it.each([
    [1, 0],
    [-1, 1],
    [0, 0.5],
    [0, 2 ** 53],
  ])('from %d to %d are refused', (begin, end) => {
    expect(() => subtrees(begin, end)).toThrow(RangeError);
  });
});

describe('a proof that cannot be made', () => {
  it.each([
    [0, 0],
    [7, 7],
    [-1, 7],
    [0.5, 7],
    [0, 2 ** 53],
  ])('for leaf %d in a tree of %d leaves', async (index, size) => {
    await expect(inclusionProof(READER, index, size)).rejects.toThrow(RangeError);
  });

  it.each([
    [8, 7],
    [-1, 7],
    [0.5, 7],
    [1, 2 ** 53],
  ])('from %d leaves to %d', async (from, to) => {
    await expect(consistencyProof(READER, from, to)).rejects.toThrow(RangeError);
  });

  it('because the reader fails or returns too little', async () => {
    const failing: NodeReader = { nodes: () => Promise.reject(new Error('no answer')) };
    await expect(inclusionProof(failing, 0, 2)).rejects.toThrow('no answer');
    const short: NodeReader = { nodes: async (ids) => (await READER.nodes(ids)).slice(1) };
    await expect(inclusionProof(short, 0, 2)).rejects.toThrow(RangeError);
    await expect(consistencyProof(short, 3, 7)).rejects.toThrow(RangeError);
  });
});
