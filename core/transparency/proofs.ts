import { EMPTY_ROOT, foldSubtrees, HASH_BYTES, type Hash, nodeHash, sameHash } from './merkle.ts';

/** A complete subtree: 2^level leaves, starting at leaf index * 2^level. */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** Finds hashes of complete subtrees of one tree. */
export interface NodeReader {
  /** The hashes in the order of the ids. Rejects when one cannot be read. */
  nodes(ids: readonly NodeId[]): Promise<readonly Hash[]>;
}

/** A proof is not well formed, or does not lead to the root. */
export class ProofError extends Error {
  override readonly name = 'ProofError';
}

/** Leaves from `begin` up to but without `end`. */
interface LeafRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * The complete subtrees that cover the leaves from `begin` up to but without `end`, left to right, as few as there can
 * be: at most 104.
 *
 * @throws RangeError unless 0 <= begin <= end <= 2^53 - 1.
 */
export function subtrees(begin: number, end: number): NodeId[] {
  checkOrder(begin, end, end);
  const ids: NodeId[] = [];
  let next = begin;
  while (next < end) {
    let level = 0;
    while (next % 2 ** (level + 1) === 0 && 2 ** (level + 1) <= end - next) level += 1;
    ids.push({ level, index: next / 2 ** level });
    next += 2 ** level;
  }
  return ids;
}

/**
 * The inclusion proof of a leaf (RFC 6962 section 2.1.1), from the leaf's sibling to the root's child: at most 53
 * hashes.
 *
 * @throws RangeError unless 0 <= index < size <= 2^53 - 1.
 */
export async function inclusionProof(reader: NodeReader, index: number, size: number): Promise<Hash[]> {
  checkOrder(index, size - 1, size);
  const siblings: LeafRange[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + leftLeaves(end - begin);
    if (index < middle) {
      siblings.push({ begin: middle, end });
      end = middle;
    } else {
      siblings.push({ begin, end: middle });
      begin = middle;
    }
  }
  return rangeRoots(reader, siblings.reverse());
}

/**
 * The proof that the tree of the first `from` leaves is the beginning of the tree of the first `to` leaves (RFC 6962
 * section 2.1.2): at most 54 hashes, none when `from` is 0 or `to`.
 *
 * @throws RangeError unless 0 <= from <= to <= 2^53 - 1.
 */
export async function consistencyProof(reader: NodeReader, from: number, to: number): Promise<Hash[]> {
  checkOrder(from, to, to);
  if (from === 0) return [];
  const ranges: LeafRange[] = [];
  let begin = 0;
  let end = to;
  while (from < end) {
    const middle = begin + leftLeaves(end - begin);
    if (from <= middle) {
      ranges.push({ begin: middle, end });
      end = middle;
    } else {
      ranges.push({ begin, end: middle });
      begin = middle;
    }
  }
  // What is left ends where the old tree ends. If it is the whole old tree, the verifier has its root already.
  if (begin > 0) ranges.push({ begin, end });
  return rangeRoots(reader, ranges.reverse());
}

/**
 * Checks an inclusion proof (RFC 9162 section 2.1.3.2).
 *
 * @param leaf The leaf hash of the entry.
 * @throws ProofError when the proof does not show that the leaf is number `index` of the tree of `size` leaves with
 * this root.
 */
export function verifyInclusion(
  leaf: Hash,
  index: number,
  size: number,
  proof: readonly Hash[],
  root: Hash,
): void {
  checkHashes([leaf, root, ...proof]);
  if (!isOrdered(index, size - 1, size)) throw new ProofError('The tree has no leaf of this index.');
  const path = new Path(index, size - 1);
  let computed = leaf;
  for (const sibling of proof) {
    if (path.atRoot) throw tooLong();
    computed = path.nextSibling() === 'left' ? nodeHash(sibling, computed) : nodeHash(computed, sibling);
    path.rise();
  }
  if (!path.atRoot) throw tooShort();
  if (!sameHash(computed, root)) throw new ProofError('The inclusion proof does not lead to the root.');
}

/**
 * Checks a consistency proof (RFC 9162 section 2.1.4.2). Every tree begins with the empty one, whose root is
 * {@link EMPTY_ROOT}; that, and that a tree is consistent with itself, takes no hashes.
 *
 * @throws ProofError when the proof does not show that the tree of `to` leaves and root `toRoot` begins with all leaves
 * of the tree of `from` leaves and root `fromRoot`.
 */
export function verifyConsistency(
  from: number,
  fromRoot: Hash,
  to: number,
  toRoot: Hash,
  proof: readonly Hash[],
): void {
  checkHashes([fromRoot, toRoot, ...proof]);
  if (!isOrdered(from, to, to)) throw new ProofError('A tree cannot become smaller.');
  if (from === 0 && !sameHash(fromRoot, EMPTY_ROOT)) {
    throw new ProofError('The root of the tree without leaves must be SHA-256 of nothing.');
  }
  if (from === to && !sameHash(fromRoot, toRoot)) {
    throw new ProofError('The two trees have the same size and different roots.');
  }
  if (from === 0 || from === to) {
    if (proof.length > 0) throw tooLong();
    return;
  }
  verifyGrowth(from, fromRoot, to, toRoot, proof);
}

function verifyGrowth(from: number, fromRoot: Hash, to: number, toRoot: Hash, proof: readonly Hash[]): void {
  const path = new Path(from - 1, to - 1);
  path.riseWhileRightChild();
  // When the old tree is complete, its root is the first node of the path, and the proof leaves it out.
  const [start, ...siblings] = path.atLeftEdge ? [fromRoot, ...proof] : proof;
  if (start === undefined) throw tooShort();
  let oldRoot = start;
  let newRoot = start;
  for (const sibling of siblings) {
    if (path.atRoot) throw tooLong();
    if (path.nextSibling() === 'left') {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    path.rise();
  }
  if (!path.atRoot) throw tooShort();
  if (!sameHash(oldRoot, fromRoot))
    throw new ProofError('The consistency proof does not lead to the old root.');
  if (!sameHash(newRoot, toRoot))
    throw new ProofError('The consistency proof does not lead to the new root.');
}

/**
 * The way from a node up to the root: the node's number in its level, and the number of the last node there (`fn` and
 * `sn` of RFC 9162). Division instead of shifts: sizes go beyond 32 bits.
 */
class Path {
  #node: number;
  #last: number;

  constructor(node: number, last: number) {
    this.#node = node;
    this.#last = last;
  }

  get atRoot(): boolean {
    return this.#last === 0;
  }

  get atLeftEdge(): boolean {
    return this.#node === 0;
  }

  /** The side of the next sibling. A last node without one rises first, to where it is a right child. */
  nextSibling(): 'left' | 'right' {
    if (this.#node % 2 === 0 && this.#node < this.#last) return 'right';
    while (this.#node % 2 === 0 && this.#node > 0) this.rise();
    return 'left';
  }

  riseWhileRightChild(): void {
    while (this.#node % 2 === 1) this.rise();
  }

  rise(): void {
    this.#node = Math.floor(this.#node / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

/** Leaves in the left child of a tree of `leaves` >= 2: the largest power of two below. */
function leftLeaves(leaves: number): number {
  let left = 1;
  while (left * 2 < leaves) left *= 2;
  return left;
}

async function rangeRoots(reader: NodeReader, ranges: readonly LeafRange[]): Promise<Hash[]> {
  const covers = ranges.map(({ begin, end }) => subtrees(begin, end));
  const hashes = await reader.nodes(covers.flat());
  let next = 0;
  return covers.map((ids) => {
    const cover = hashes.slice(next, next + ids.length);
    next += ids.length;
    const root = foldSubtrees(cover);
    if (root === undefined || cover.length < ids.length) {
      throw new RangeError('The node reader returned fewer hashes than it was asked for.');
    }
    return root;
  });
}

function checkOrder(low: number, middle: number, high: number): void {
  if (!isOrdered(low, middle, high))
    throw new RangeError('The leaves asked for are not in a tree of this size.');
}

function isOrdered(low: number, middle: number, high: number): boolean {
  return [low, middle, high].every(Number.isSafeInteger) && 0 <= low && low <= middle && middle <= high;
}

function checkHashes(hashes: readonly Hash[]): void {
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) {
    throw new ProofError('Each hash of a proof must have 32 bytes.');
  }
}

function tooLong(): ProofError {
  return new ProofError('The proof has more hashes than a tree of this size needs.');
}

function tooShort(): ProofError {
  return new ProofError('The proof has fewer hashes than a tree of this size needs.');
}
