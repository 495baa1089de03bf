/**
 * Merkle trees as in RFC 6962 section 2.1 (the algorithms that check proofs are those of RFC 9162 sections 2.1.3.2 and
 * 2.1.4.2), and the names of tiles as in C2SP tlog-tiles.
 *
 * A hash is a Buffer of 32 bytes. Sizes and indexes are at most 2^53 - 1.
 */
import { hash } from 'node:crypto';

const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

/** @param {Uint8Array} bytes */
export function sha256(bytes) {
  return hash('sha256', bytes, 'buffer');
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** @param {Uint8Array} entry */
export function leafHash(entry) {
  return sha256(Buffer.concat([LEAF, entry]));
}

/** @param {Uint8Array} left @param {Uint8Array} right */
export function nodeHash(left, right) {
  return sha256(Buffer.concat([NODE, left, right]));
}

/** A tree that grows at its right end. It keeps the roots of the complete subtrees that it consists of, no leaves. */
export class Tree {
  size = 0;
  /** Widths are powers of two and fall from left to right. @type {{hash: Buffer, width: number}[]} */
  #subtrees = [];

  /**
   * Appends a leaf, or a complete subtree of `width` leaves where the size is a multiple of `width`.
   *
   * @param {Buffer} hash
   */
  add(hash, width = 1) {
    let last = { hash, width };
    let before = this.#subtrees.at(-1);
    while (before?.width === last.width) {
      last = { hash: nodeHash(before.hash, last.hash), width: 2 * last.width };
      this.#subtrees.pop();
      before = this.#subtrees.at(-1);
    }
    this.#subtrees.push(last);
    this.size += width;
  }

  root() {
    const [last, ...others] = this.#subtrees.map((subtree) => subtree.hash).reverse();
    return last === undefined ? EMPTY_ROOT : others.reduce((right, left) => nodeHash(left, right), last);
  }
}

/**
 * The widths of the largest complete subtrees that cover the leaves from `begin` up to, not including, `end`; left to
 * right.
 *
 * @param {number} begin
 * @param {number} end
 */
export function subtreeWidths(begin, end) {
  const widths = [];
  for (let position = begin; position < end; ) {
    let width = 1;
    while (position % (2 * width) === 0 && position + 2 * width <= end) width *= 2;
    widths.push(width);
    position += width;
  }
  return widths;
}

/**
 * Whether a proof shows that the tree with this size and root holds the leaf at `index` (RFC 9162 section 2.1.3.2).
 *
 * @param {Buffer} leaf the leaf's hash
 * @param {number} index
 * @param {number} size
 * @param {readonly Buffer[]} proof
 * @param {Buffer} root
 */
export function includes(leaf, index, size, proof, root) {
  if (index >= size) return false;
  let node = BigInt(index);
  let last = BigInt(size) - 1n;
  let result = leaf;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (node % 2n === 1n || node === last) {
      result = nodeHash(sibling, result);
      while (node % 2n === 0n && node !== 0n) {
        node /= 2n;
        last /= 2n;
      }
    } else {
      result = nodeHash(result, sibling);
    }
    node /= 2n;
    last /= 2n;
  }
  return last === 0n && result.equals(root);
}

/**
 * Whether a proof shows that the tree of `to` leaves begins with the tree of `from` leaves (RFC 9162 section 2.1.4.2).
 *
 * @param {number} from
 * @param {Buffer} fromRoot
 * @param {number} to
 * @param {Buffer} toRoot
 * @param {readonly Buffer[]} proof
 */
export function isConsistent(from, fromRoot, to, toRoot, proof) {
  if (from > to) return false;
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot);
  if (from === 0) return proof.length === 0 && fromRoot.equals(EMPTY_ROOT);
  let node = BigInt(from) - 1n;
  let last = BigInt(to) - 1n;
  while (node % 2n === 1n) {
    node /= 2n;
    last /= 2n;
  }
  // A tree whose size is a power of two is a node of the larger one itself, so the proof leaves it out.
  const [first, ...rest] = node === 0n ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let old = first;
  let all = first;
  for (const sibling of rest) {
    if (last === 0n) return false;
    if (node % 2n === 1n || node === last) {
      old = nodeHash(sibling, old);
      all = nodeHash(sibling, all);
      while (node % 2n === 0n && node !== 0n) {
        node /= 2n;
        last /= 2n;
      }
    } else {
      all = nodeHash(all, sibling);
    }
    node /= 2n;
    last /= 2n;
  }
  return last === 0n && old.equals(fromRoot) && all.equals(toRoot);
}

export const HASH_BYTES = 32;

/** The hash at a place in a tile. @param {Buffer} tile @param {number} at */
export function hashAt(tile, at) {
  return tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
}

/** Hashes in a full tile, and entries in a full bundle of entries. */
export const TILE_WIDTH = 256;

/**
 * Where a full tile lies: `tile/0/x001/x234/067` for level 0 and index 1234067. A partial one of `w` hashes lies at the
 * same path followed by `.p/<w>`.
 *
 * @param {number | 'entries'} level
 * @param {number} index
 */
export function tilePath(level, index) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const last = groups.pop();
  return ['tile', level, ...groups.map((group) => `x${group}`), last].join('/');
}
