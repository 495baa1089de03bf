/**
 * A stretch of a log's leaves, put together with the roots of the subtrees on both sides into the root of the whole tree;
 * and, where that root is not the one that was sealed, which rows were changed.
 */
import { FormError, lines } from './bundle.js';
import { leafHash, subtreeWidths, Tree } from './merkle.js';

/**
 * @typedef {import('./judgement.js').Place} Place
 * @typedef {import('./lanes.js').LaneWalk} LaneWalk
 * @typedef {{hash: Buffer, row?: Uint8Array}} Leaf without a row where that is left out
 * @typedef {object} Range
 * @property {number} firstLeaf
 * @property {number} size of the whole tree, in leaves
 * @property {readonly Buffer[]} left roots of the largest subtrees before the first leaf
 * @property {readonly Buffer[]} right those after the last one
 * @property {() => Iterable<Leaf>} leaves
 */

/**
 * The leaves of a bundle: a line is a row, or the hash of one that is left out.
 *
 * @param {Buffer} file
 * @returns {Generator<Leaf>}
 */
export function* readLeaves(file) {
  for (const line of lines(file)) {
    const hex = line.length === 64 ? line.toString('latin1') : '';
    const isHash = /^[0-9a-f]{64}$/.test(hex);
    yield isHash ? { hash: Buffer.from(hex, 'hex') } : { row: line, hash: leafHash(line) };
  }
}

/** In hex. @param {Range} range */
export function* withheldHashes({ leaves }) {
  for (const { row, hash } of leaves()) {
    if (row === undefined) yield hash.toString('hex');
  }
}

/**
 * @param {Range} range
 * @param {ReadonlySet<number>} wanted sizes of the tree at which to keep its root
 * @param {(leaf: number, content: Leaf) => void} onLeaf
 * @returns {{count: number, root: Buffer | undefined, roots: Map<number, Buffer>}} how many leaves there were, the root
 * of the whole, if there is one, and the roots that it had at the sizes wanted, where those can be told
 */
export function rebuild({ firstLeaf, size, left, right, leaves }, wanted, onLeaf = () => {}) {
  const tree = new Tree();
  /** @type {Map<number, Buffer>} */
  const roots = new Map();
  /** @param {Buffer} hash @param {number} width */
  const add = (hash, width) => {
    tree.add(hash, width);
    if (wanted.has(tree.size)) roots.set(tree.size, tree.root());
  };
  if (wanted.has(0)) roots.set(0, tree.root());
  const leftWidths = subtreeWidths(0, firstLeaf);
  if (left.length !== leftWidths.length) throw new FormError('The range proof does not fit the first leaf.');
  for (const [index, hash] of left.entries()) add(hash, leftWidths[index] ?? 1);
  let count = 0;
  for (const leaf of leaves()) {
    onLeaf(firstLeaf + count, leaf);
    add(leaf.hash, 1);
    count += 1;
  }
  const rightWidths = subtreeWidths(tree.size, size);
  const isWhole = tree.size <= size && right.length === rightWidths.length;
  if (!isWhole) return { count, root: undefined, roots };
  for (const [index, hash] of right.entries()) add(hash, rightWidths[index] ?? 1);
  return { count, root: tree.root(), roots };
}

/**
 * Names the rows that were changed after they were sealed, where the sealed root proves which they are: with the hashes of
 * the sealed leaves; or with the links, for each row names the hash of the one before it. If the sealed root comes out
 * once those take the place of the rows that do not fit, the others are as they were sealed. So it is told of the changed
 * row, not of the one that follows it, that something is wrong.
 *
 * @param {Range} range
 * @param {LaneWalk} walk
 * @param {Buffer} root the sealed one
 * @param {{sealedHashes?: readonly Buffer[] | undefined, after?: ReadonlyMap<number, string>}} known the sealed leaves; or,
 * by lane, the hash that the row after the last one names
 */
export function nameChanged(range, walk, root, { sealedHashes, after = new Map() }) {
  const sealed =
    sealedHashes === undefined ? namedHashes(range, walk, after) : unlikeHashes(range, sealedHashes);
  const leaves = function* () {
    let leaf = range.firstLeaf;
    for (const content of range.leaves()) {
      yield { ...content, hash: sealed.get(leaf) ?? content.hash };
      leaf += 1;
    }
  };
  if (sealed.size === 0 || rebuild({ ...range, leaves }, new Set()).root?.equals(root) !== true) return;
  tellChanged(walk, [...sealed.keys()]);
}

/**
 * Tells of rows that are proven to be changed. A row after one of them that does not name its hash is not to blame.
 *
 * @param {LaneWalk} walk
 * @param {readonly number[]} leaves
 */
export function tellChanged(walk, leaves) {
  const places = leaves.map((leaf) => walk.placeOf(leaf));
  const changed = new Set(places.map(({ lane, seq }) => `${lane}-${seq}`));
  const changedLeaves = new Set(leaves);
  // The first row of another lane names a row of lane 0: the one that opened the lane.
  const follows = (/** @type {Place} */ { lane, seq }) =>
    seq === 1 ? places.some((place) => place.lane === 0) : changed.has(`${lane}-${Number(seq) - 1}`);
  walk.found.remove(
    (problem) =>
      (problem.code === 'broken_link' && (changedLeaves.has(problem.leaf ?? -1) || follows(problem))) ||
      (problem.code === 'lane_not_opened' && follows(problem)),
  );
  const told = new Set(walk.found.problems.map(({ leaf }) => leaf));
  for (const place of places) {
    if (!told.has(place.leaf)) walk.found.add('hash_mismatch', 'Its hash is not the sealed one.', place);
  }
}

/**
 * @param {Range} range
 * @param {readonly Buffer[]} sealedHashes
 * @returns {Map<number, Buffer>} by leaf
 */
function unlikeHashes(range, sealedHashes) {
  const hashes = Array.from(range.leaves(), ({ hash }) => hash);
  /** @type {Map<number, Buffer>} */
  const unlike = new Map();
  if (hashes.length !== sealedHashes.length) return unlike;
  for (const [index, sealed] of sealedHashes.entries()) {
    if (hashes[index]?.equals(sealed) === false) unlike.set(range.firstLeaf + index, sealed);
  }
  return unlike;
}

/**
 * Hashes that rows name and that the rows before them do not have. What a changed row names itself counts for nothing, so
 * lanes are read from their ends.
 *
 * @param {Range} range
 * @param {LaneWalk} walk
 * @param {ReadonlyMap<number, string>} after
 * @returns {Map<number, Buffer>} by leaf
 */
function namedHashes(range, walk, after) {
  /** By lane: the row that comes next, and the hash it names. @type {Map<number, {seq?: number, names: string | undefined}>} */
  const next = new Map([...after].map(([lane, names]) => [lane, { names }]));
  /** @type {Map<number, Buffer>} */
  const unlike = new Map();
  const leaves = [...range.leaves()];
  for (const [index, { row, hash }] of [...leaves.entries()].reverse()) {
    const { lane, seq, leaf = 0 } = walk.placeOf(range.firstLeaf + index);
    if (row === undefined || lane === undefined || seq === undefined) continue;
    const successor = next.get(lane);
    const named = (successor?.seq ?? seq + 1) === seq + 1 ? successor?.names : undefined;
    const isChanged = named !== undefined && named !== hash.toString('hex');
    if (isChanged) unlike.set(leaf, Buffer.from(named, 'hex'));
    const [, prev] = /"prev":"([0-9a-f]{64})","result"/.exec(Buffer.from(row).toString('latin1')) ?? [];
    next.set(lane, { seq, names: isChanged ? undefined : prev });
  }
  return unlike;
}

/**
 * The last row of each lane, unless the row after it is known and names its hash: nothing but the root vouches for these.
 *
 * @param {LaneWalk} walk
 * @param {ReadonlyMap<number, string>} after
 */
export function lastRows(walk, after) {
  return [...walk.heads]
    .filter(([lane, { leaf, hash }]) => leaf >= 0 && (hash === undefined || after.get(lane) !== hash))
    .map(([lane, { seq, leaf }]) => ({ lane, seq, leaf }));
}
