import { createHash } from 'node:crypto';
import type { NodeId, NodeReader } from '../../core/transparency/proofs.ts';

/** Trees as RFC 6962 defines them, by recursion and with none of the code under test. */

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(Buffer.concat(parts)).digest());
}

export function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(1), left, right);
}

/** Leaf hashes of the numbers from 0. */
export function numberedLeaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => sha256(Uint8Array.of(0), Buffer.from(String(index))));
}

/** MTH of RFC 6962 section 2.1, from leaf hashes. */
export function recursiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return node(recursiveRoot(leaves.slice(0, split)), recursiveRoot(leaves.slice(split)));
}

/** The largest power of two below `size`. */
export function splitOf(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

/** All complete subtrees of a tree: level by level, leaves first. */
export function completeLevels(leaves: readonly Uint8Array[]): Uint8Array[][] {
  const levels = [[...leaves]];
  for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? []) {
    levels.push(
      Array.from({ length: below.length >> 1 }, (_, index) =>
        node(below[2 * index] ?? sha256(), below[2 * index + 1] ?? sha256()),
      ),
    );
  }
  return levels;
}

export function levelsReader(levels: readonly (readonly Uint8Array[])[]): NodeReader {
  return {
    async nodes(ids) {
      return ids.map(({ level, index }: NodeId) => {
        const hash = levels[level]?.[index];
        if (hash === undefined) throw new Error(`no complete subtree ${level}/${index}`);
        return hash;
      });
    },
  };
}

/** Trees of numbered leaves at each size up to `largest`. */
export function numberedTrees(largest: number) {
  const leaves = numberedLeaves(largest);
  const roots = Array.from({ length: largest + 1 }, (_, size) => recursiveRoot(leaves.slice(0, size)));
  return {
    leaves,
    reader: levelsReader(completeLevels(leaves)),
    leafAt: (index: number): Uint8Array => leaves.at(index) ?? sha256(),
    rootAt: (size: number): Uint8Array => roots.at(size) ?? sha256(),
  };
}
