import { hash } from 'node:crypto';
import { parseBase64 } from './text-forms.ts';

/** A SHA-256 hash: 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;

/** A value that should be a hash is not: it has another length, or its text another form. */
export class HashFormatError extends Error {
  override readonly name = 'HashFormatError';
}

/**
 * The hash of an entry: SHA-256(0x00 || entry). The prefix separates leaves from inner nodes (RFC 6962 section 2.1).
 * `entry` is a row's exact bytes; for an audit row this is its row hash `h`.
 */
export function leafHash(entry: Uint8Array): Hash {
  const input = new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

/**
 * The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962 section 2.1).
 *
 * @throws HashFormatError when a child has not 32 bytes.
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.set(checkedHash(left), 1);
  node.set(checkedHash(right), 1 + HASH_BYTES);
  return sha256(node);
}

/** Prefix and children side by side: hashing all three in one call is the fastest way. */
const node = Uint8Array.of(0x01, ...new Uint8Array(2 * HASH_BYTES));

/** The root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array(0));

/**
 * What it takes to extend a tree and to know its root: the roots of the complete subtrees that it consists of, largest
 * first, one for each bit of `size` that is set.
 */
export interface Frontier {
  /** Leaves in the tree, at most 2^53 - 1. */
  readonly size: number;
  readonly hashes: readonly Hash[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

/**
 * The frontier after more leaves. `leaves` are leaf hashes, in leaf order; `frontier` stays as it is.
 *
 * @throws HashFormatError when a leaf has not 32 bytes.
 * @throws RangeError when the frontier does not fit its size, or the tree would have more than 2^53 - 1 leaves.
 */
export function appendLeaves(frontier: Frontier, leaves: readonly Hash[]): Frontier {
  checkFrontier(frontier);
  const size = frontier.size + leaves.length;
  if (!Number.isSafeInteger(size)) throw new RangeError('A tree has at most 2^53 - 1 leaves.');
  const hashes = [...frontier.hashes];
  let before = frontier.size;
  for (const leaf of leaves) {
    let subtree = checkedHash(leaf);
    // Each one at the low end of the size is a complete subtree as large as the one at hand: both make one twice as large.
    for (let rest = before; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = hashes.pop();
      if (left === undefined) throw misfit();
      subtree = nodeHash(left, subtree);
    }
    hashes.push(subtree);
    before += 1;
  }
  return { size, hashes };
}

/**
 * The root hash of the tree: MTH of RFC 6962 section 2.1.
 *
 * @throws RangeError when the frontier does not fit its size.
 */
export function frontierRoot(frontier: Frontier): Hash {
  checkFrontier(frontier);
  return foldSubtrees(frontier.hashes) ?? EMPTY_ROOT;
}

/**
 * The root over subtrees whose sizes fall from left to right, each a power of two: the way RFC 6962 splits a tree.
 * Undefined for none.
 */
export function foldSubtrees(hashes: readonly Hash[]): Hash | undefined {
  return hashes.length === 0 ? undefined : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Whether two hashes are the same. Hashes are public: this takes no care to hide where they differ. */
export function sameHash(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}

/** 64 lower-case hex digits. */
export function hashToHex(value: Hash): string {
  return Buffer.from(checkedHash(value)).toString('hex');
}

/** @throws HashFormatError unless the text is 64 lower-case hex digits. */
export function hashFromHex(text: string): Hash {
  if (!HEX_HASH.test(text)) throw new HashFormatError('A hash in hex must be 64 lower-case hex digits.');
  return Buffer.from(text, 'hex');
}

/** Base64 (RFC 4648 section 4), 44 characters. */
export function hashToBase64(value: Hash): string {
  return Buffer.from(checkedHash(value)).toString('base64');
}

/** @throws HashFormatError unless the text is the canonical base64 of 32 bytes. */
export function hashFromBase64(text: string): Hash {
  const bytes = parseBase64(text);
  if (bytes?.length !== HASH_BYTES) {
    throw new HashFormatError('A hash in base64 must be 32 bytes in 44 characters, canonical and padded.');
  }
  return bytes;
}

/** A hash as a string and then into Node's buffer pool takes half the time of a buffer of its own for each. */
function sha256(input: Uint8Array): Hash {
  return Buffer.from(hash('sha256', input, 'binary'), 'binary');
}

const HEX_HASH = /^[0-9a-f]{64}$/;

function checkedHash(value: Hash): Hash {
  if (value.length !== HASH_BYTES) throw new HashFormatError('A hash must have 32 bytes.');
  return value;
}

function checkFrontier({ size, hashes }: Frontier): void {
  if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== countOnes(size)) throw misfit();
  hashes.forEach(checkedHash);
}

function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

function misfit(): RangeError {
  return new RangeError('A frontier must have one hash for each bit that is set in its size.');
}
