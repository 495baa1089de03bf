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
import { fromHex, toHex } from '../../support/bytes.ts';
import { levelsReader, node, numberedLeaves, numberedTrees } from '../../support/merkle-trees.ts';
import tree from '../../vectors/rfc6962.json';
import published from '../../vectors/rfc6962-proofs.json';

const MAX_SIZE = 70;
const { reader: READER, leafAt, rootAt } = numberedTrees(MAX_SIZE);
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
          if (BigInt(index) * 2n ** BigInt(level) !== next)
            throw new Error(`subtree ${level}/${index} is out of place`);
          next += 2n ** BigInt(level);
        }
        expect(next).toBe(BigInt(end));
        expect(ids.length).toBeLessThanOrEqual(104);
        const pairs = ids.filter(({ level, index }, at) => index % 2 === 0 && ids[at + 1]?.level === level);
        expect(pairs).toEqual([]);
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
