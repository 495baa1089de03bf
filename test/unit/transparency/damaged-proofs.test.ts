import fc from 'fast-check';
import { EMPTY_ROOT, type Hash } from '../../../core/transparency/merkle.ts';
import {
  consistencyProof,
  inclusionProof,
  ProofError,
  verifyConsistency,
  verifyInclusion,
} from '../../../core/transparency/proofs.ts';
import { flipBit, toHex } from '../../support/bytes.ts';
import {
  completeLevels,
  levelsReader,
  numberedTrees,
  recursiveRoot,
  splitOf,
} from '../../support/merkle-trees.ts';

const MAX_SIZE = 70;
const { leaves: LEAVES, reader: READER, leafAt, rootAt } = numberedTrees(MAX_SIZE);

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
    await fc.assert(property, { numRuns: 200 });
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
    for (const { size, index, proof } of await smallProofs()) {
      const others = Array.from({ length: size + 2 }, (_, at) => at - 1).filter((other) => other !== index);
      const accepted = others.filter((other) => isAccepted(index, other, size, proof, rootAt(size)));
      expect(accepted).toEqual([]);
    }
  });

  it('with another size, unless the leaf lies there on the same path', async () => {
    const sizes = Array.from({ length: 40 }, (_, size) => size);
    for (const { size, index, proof } of await smallProofs()) {
      const accepted = sizes.filter((other) => isAccepted(index, index, other, proof, rootAt(size)));
      const alike = sizes.filter((other) => index < other && pathTo(index, other) === pathTo(index, size));
      expect(accepted).toEqual(alike);
    }
  });

  async function smallProofs() {
    const places = Array.from({ length: 20 }, (_, size) =>
      Array.from({ length: size }, (_, index) => ({ size, index })),
    ).flat();
    return Promise.all(
      places.map(async ({ size, index }) => ({
        size,
        index,
        proof: await inclusionProof(READER, index, size),
      })),
    );
  }

  function isAccepted(
    leaf: number,
    index: number,
    size: number,
    proof: readonly Hash[],
    root: Hash,
  ): boolean {
    try {
      verifyInclusion(leafAt(leaf), index, size, proof, root);
      return true;
    } catch (error) {
      if (error instanceof ProofError) return false;
      throw error;
    }
  }

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
    await fc.assert(property, { numRuns: 200 });
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
