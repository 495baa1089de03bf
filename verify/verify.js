/**
 * Judges evidence from a Lockzero audit trail: a bundle, a single row with its proof, or plain rows against a root.
 * Nothing in the evidence is trusted: the verdict `valid` rests on the keys that the auditor brings, and on SHA-256 and
 * Ed25519. `docs/audit-format.md` is the specification.
 */
import { needed, parseBundle, parseConsistency, parseRangeProof } from './bundle.js';
import { Findings, judge } from './judgement.js';
import { LaneWalk } from './lanes.js';
import { manifestFault, readManifests } from './manifests.js';
import { includes, isConsistent, leafHash } from './merkle.js';
import { parseCheckpoint, parseProof } from './note.js';
import { lastRows, nameChanged, readLeaves, rebuild, withheldHashes } from './range.js';
import { RowError, readRow } from './row.js';

/**
 * @typedef {import('./bundle.js').Bundle} Bundle
 * @typedef {import('./bundle.js').Manifest} Manifest
 * @typedef {import('./judgement.js').Judgement} Judgement
 * @typedef {import('./judgement.js').Options} Options
 * @typedef {import('./judgement.js').Problem} Problem
 * @typedef {import('./judgement.js').Result} Result
 * @typedef {import('./note.js').Checkpoint} Checkpoint
 * @typedef {import('./note.js').NoteError} NoteError
 * @typedef {import('./range.js').Leaf} Leaf
 * @typedef {import('./range.js').Range} Range
 * @typedef {import('./row.js').Row} Row
 * @typedef {ReadonlyMap<string, Buffer>} Files
 * @typedef {{row: Row, hash: string, leaf: number}} Neighbour a row beside those of the bundle, proven to be in the tree
 * @typedef {{before: Map<number, Neighbour>, after: Map<number, Neighbour>}} Neighbours by lane
 */

/**
 * Judges a bundle of the format `lockzero-evidence/1`.
 *
 * @param {ReadonlyMap<string, Uint8Array>} files by their names in the bundle
 * @param {Options} options
 * @returns {Result}
 * @throws {NoteError} when what the auditor brings is not of its form
 */
export function verifyEvidence(files, options = {}) {
  const buffers = new Map([...files].map(([name, bytes]) => [name, asBuffer(bytes)]));
  return judge(options, (judgement) => judgeBundle(buffers, judgement));
}

/**
 * Judges a single row with its proof: a C2SP tlog-proof that carries the row as its extra data.
 *
 * @param {Uint8Array} file
 * @param {Options} options
 * @returns {Result & {row?: Row}}
 * @throws {NoteError} when what the auditor brings is not of its form
 */
export function verifyProof(file, options = {}) {
  /** @type {Row | undefined} */
  let row;
  const result = judge(options, (judgement) => {
    row = judgeProof(file, judgement);
  });
  return row === undefined ? result : { ...result, row };
}

/**
 * Judges all rows of a workspace, in the order of the leaves, against the root of the sealed tree.
 *
 * @param {readonly Uint8Array[]} rows
 * @param {object} sealed
 * @param {string} sealed.workspaceId
 * @param {Uint8Array} sealed.root
 * @param {number} sealed.size
 * @param {readonly Uint8Array[]} [sealed.leafHashes] as the tiles of level 0 hold them: with these, every row that was
 * changed can be named; without, the last row of a lane cannot always be
 * @returns {Problem[]} the weightiest first; none if all is as it was sealed
 */
export function verifyRows(rows, { workspaceId, root, size, leafHashes }) {
  const walk = new LaneWalk(workspaceId, { fromStart: true, filtered: false });
  const leaves = rows.map((row) => ({ row, hash: leafHash(row) }));
  /** @type {Range} */
  const range = { firstLeaf: 0, size, left: [], right: [], leaves: () => leaves };
  const rebuilt = rebuild(range, new Set(), (leaf, { row, hash }) => {
    if (row !== undefined) walk.add(leaf, row, hash);
  });
  walk.finish();
  const found = new Findings();
  const sealed = asBuffer(root);
  if (rebuilt.root?.equals(sealed) !== true) {
    nameChanged(range, walk, sealed, { sealedHashes: leafHashes?.map(asBuffer) });
    tellCount(walk, rows.length, size, firstUnlike(leaves, leafHashes));
    const [suspect, ...others] = lastRows(walk, new Map());
    // In one lane without any other fault, it can only be the last row: each of the others is vouched for by the next.
    const isOnlyOne = others.length === 0 && walk.found.problems.length === 0;
    found.add('root_mismatch', 'The rows do not give the sealed root.', isOnlyOne ? suspect : {});
  }
  found.addAll(walk.found);
  return found.problems;
}

/** @param {Uint8Array} file @param {Judgement} judgement */
function judgeProof(file, judgement) {
  const { row: bytes, index, hashes, checkpoint } = parseProof(file);
  const row = readShown(bytes, index, judgement.found);
  judgement.count('rows');
  judgement.demandKeyOf(checkpoint.origin);
  judgement.openLog(checkpoint, row?.ws);
  const place = { ...(row && { lane: row.lane, seq: row.seq }), leaf: index };
  if (!includes(leafHash(bytes), index, checkpoint.size, hashes, checkpoint.root))
    judgement.found.add(
      'root_mismatch',
      'The row and its proof do not give the root of the checkpoint.',
      place,
    );
  judgement.compareWithKept(checkpoint, () => undefined);
  return row;
}

const KNOWN_FILES = [
  /^(?:bundle\.json|checkpoint|leaves\.ndjson|range-proof\.json|verifier-key)$/,
  /^neighbours\/\d{1,5}-(?:before|after)\.tlog-proof$/,
  /^seals\/\d{16}(?:\.consistency\.json)?$/,
  /^manifests\/\d{4}-\d\d-\d\d\.(?:json|note)$/,
];

/** @param {Files} files @param {Judgement} judgement */
function judgeBundle(files, judgement) {
  for (const name of files.keys()) {
    if (!KNOWN_FILES.some((pattern) => pattern.test(name)))
      judgement.found.add('unknown_file', `The format has no file ${name}.`);
  }
  const bundle = parseBundle(needed(files, 'bundle.json'));
  const checkpoint = parseCheckpoint(needed(files, 'checkpoint'));
  judgement.demandKeyOf(checkpoint.origin);
  judgement.openLog(checkpoint, bundle.workspaceId);
  if (bundle.origin !== checkpoint.origin || bundle.treeSize !== checkpoint.size)
    judgement.found.add('wrong_origin', 'bundle.json speaks of another checkpoint than the one beside it.');
  judgement.remarks.push(...scopeOf(bundle));
  const proof = parseRangeProof(needed(files, 'range-proof.json'));
  const leaves = needed(files, 'leaves.ndjson');
  /** @type {Range} */
  const range = {
    ...proof,
    firstLeaf: bundle.firstLeaf,
    size: checkpoint.size,
    leaves: () => readLeaves(leaves),
  };
  const manifests = readManifests(files, bundle, judgement);
  const neighbours = readNeighbours(files, bundle, checkpoint, judgement);
  const seals = readSeals(files, checkpoint, judgement);
  const { walk, ...rebuilt } = judgeLeaves(range, bundle, { manifests, neighbours, seals }, judgement);
  const lanes = [walk.firsts, neighbours.before, neighbours.after].flatMap((map) => [...map.keys()]);
  for (const lane of new Set(lanes)) judgeEnds(lane, walk, bundle, neighbours, judgement);
  judgeRoots(range, checkpoint, { walk, manifests, neighbours, seals }, rebuilt, judgement);
  judgement.found.addAll(walk.found);
}

/**
 * What the bundle says that it is for: nothing signs that, so the auditor must see it.
 *
 * @param {Bundle} bundle
 */
function scopeOf({ from, to, filter }) {
  const wanted = Object.entries(filter ?? {}).map(([member, value]) => `${member} ${value}`);
  const parts = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(to === undefined ? [] : [`before ${to}`]),
    ...(filter === undefined ? [] : [`with ${wanted.join(' and ')}`]),
  ];
  return parts.length === 0 ? [] : [`The bundle is made for rows ${parts.join(', ')}.`];
}

/**
 * Judges the rows by all rules for rows, and puts all leaves together, those left out included.
 *
 * @param {Range} range
 * @param {Bundle} bundle
 * @param {{manifests: Map<string, Manifest>, neighbours: Neighbours, seals: Map<number, Buffer>}} beside
 * @param {Judgement} judgement
 */
function judgeLeaves(range, bundle, { manifests, neighbours, seals }, judgement) {
  const filtered = bundle.filter !== undefined;
  const walk = new LaneWalk(bundle.workspaceId, { fromStart: bundle.firstLeaf === 0, filtered });
  for (const { row, hash } of neighbours.before.values()) walk.startAfter(row, hash);
  let withheld = 0;
  const wanted = new Set([...seals.keys(), judgement.kept?.size ?? 0]);
  const rebuilt = rebuild(range, wanted, (leaf, { row: bytes, hash }) => {
    if (bytes === undefined) {
      withheld += 1;
      if (!filtered) walk.found.add('withheld_row', `Leaf ${leaf} is shown as a bare hash.`, { leaf });
      return;
    }
    const row = walk.add(leaf, bytes, hash);
    if (row === undefined) return;
    const place = { lane: row.lane, seq: row.seq, leaf };
    if (!matches(row, bundle)) walk.found.add('filter_mismatch', 'The row does not match the filter.', place);
    const fault = manifestFault(row, hash.toString('hex'), manifests);
    if (fault !== undefined) judgement.found.add('manifest_mismatch', fault, place);
  });
  for (const lane of walk.finish(withheldHashes(range)))
    judgement.remarks.push(`The row of lane 0 that opened lane ${lane} is not in this bundle.`);
  tellCount(walk, rebuilt.count, bundle.leaves, bundle.firstLeaf + Math.min(rebuilt.count, bundle.leaves));
  judgement.count('leaves', rebuilt.count);
  judgement.count('rows', walk.rows);
  judgement.count('withheld', withheld);
  judgement.count('lanes', walk.firsts.size);
  return { walk, ...rebuilt };
}

/**
 * Judges the leaves against all roots that are signed: that of the checkpoint, those of seals, and the one kept.
 *
 * @param {Range} range
 * @param {Checkpoint} checkpoint
 * @param {{walk: LaneWalk, manifests: Map<string, Manifest>, neighbours: Neighbours, seals: Map<number, Buffer>}} shown
 * @param {{root: Buffer | undefined, roots: Map<number, Buffer>}} rebuilt
 * @param {Judgement} judgement
 */
function judgeRoots(range, checkpoint, { walk, manifests, neighbours, seals }, { root, roots }, judgement) {
  const isWhole = root?.equals(checkpoint.root) === true;
  if (!isWhole) {
    const after = new Map([...neighbours.after].map(([lane, { row }]) => [lane, row.prev]));
    for (const { lane, last, lastHash } of [...manifests.values()].flatMap((manifest) => manifest.lanes)) {
      if (walk.heads.get(lane)?.seq === last) after.set(lane, lastHash);
    }
    nameChanged(range, walk, checkpoint.root, { after });
    judgement.found.add('root_mismatch', explainRoot(walk, after, seals, roots));
  }
  const disagreeing = [...seals].filter(([size, sealed]) => roots.get(size)?.equals(sealed) === false);
  for (const [size] of isWhole ? disagreeing : [])
    judgement.found.add('seal_mismatch', `The leaves do not give the root of the seal at ${size}.`);
  judgement.compareWithKept(checkpoint, (size) => (isWhole ? roots.get(size) : undefined) ?? seals.get(size));
}

/** @param {Row} row @param {Bundle} bundle */
function matches({ action, actor, entity }, { filter = {} }) {
  return (
    (filter.action ?? action) === action &&
    (filter.actorId ?? actor.id) === actor.id &&
    (filter.entityId ?? entity.id) === entity.id
  );
}

/**
 * Where the leaves may be wrong, as far as it can be told.
 *
 * @param {LaneWalk} walk
 * @param {ReadonlyMap<number, string>} after
 * @param {ReadonlyMap<number, Buffer>} seals
 * @param {ReadonlyMap<number, Buffer>} roots
 */
function explainRoot(walk, after, seals, roots) {
  const sizes = [...seals.keys()].filter((size) => roots.has(size)).sort((a, b) => a - b);
  const wrong = sizes.findIndex(
    (size) => seals.get(size)?.equals(roots.get(size) ?? Buffer.alloc(0)) !== true,
  );
  const right = (wrong === -1 ? sizes : sizes.slice(0, wrong)).at(-1);
  const agreed = right === undefined ? '' : ` The leaves below ${right} are as they were sealed then.`;
  const rows = lastRows(walk, after).map(({ lane, seq }) => `${lane}-${seq}`);
  const unlinked = rows.length === 0 ? '' : ` No later row vouches for ${rows.join(', ')}.`;
  return `The leaves and the range proof do not give the root of the checkpoint.${agreed}${unlinked}`;
}

/**
 * Judges both ends of a lane: the rows beside those of the bundle must follow on them. If they lie outside the span of
 * time that the bundle is for, the lane is shown to be complete; otherwise that is remarked, for a long span takes more
 * than one bundle.
 *
 * @param {number} lane
 * @param {LaneWalk} walk
 * @param {Bundle} bundle
 * @param {Neighbours} neighbours
 * @param {Judgement} judgement
 */
function judgeEnds(lane, walk, bundle, neighbours, { found, remarks }) {
  const first = walk.firsts.get(lane);
  const last = walk.heads.get(lane);
  const before = neighbours.before.get(lane);
  const after = neighbours.after.get(lane);
  if (first !== undefined && before !== undefined && before.leaf >= first.leaf)
    found.add('wrong_place', 'The row is no neighbour.', placeOf(before));
  if (last !== undefined && after !== undefined) judgeAfter(after, last, bundle, walk);
  if (bundle.filter !== undefined) return;
  const { from = '', to = LATEST, firstLeaf, leaves, treeSize } = bundle;
  if (before !== undefined && before.row.ts >= from)
    remarks.push(
      `Lane ${lane} begins before this bundle: ${lane}-${before.row.seq} lies in its span of time, too.`,
    );
  if (after !== undefined && after.row.ts < to)
    remarks.push(
      `Lane ${lane} goes on after this bundle: ${lane}-${after.row.seq} lies in its span of time, too.`,
    );
  if (first !== undefined && first.seq > 1 && before === undefined)
    remarks.push(`Lane ${lane}: it is not shown what comes before ${lane}-${first.seq}.`);
  if (first !== undefined && after === undefined && firstLeaf + leaves < treeSize)
    remarks.push(`Lane ${lane}: it is not shown that nothing follows ${lane}-${last?.seq}.`);
}

/** After every timestamp. */
const LATEST = '~';

/**
 * @param {Neighbour} after
 * @param {import('./lanes.js').Head} last the row before, as far as rows are shown
 * @param {Bundle} bundle
 * @param {LaneWalk} walk
 */
function judgeAfter({ row, leaf }, last, { filter }, { found }) {
  const { lane, seq, prev, ts } = row;
  const place = { lane, seq, leaf };
  const follows = seq === last.seq + 1;
  if (seq <= last.seq || leaf <= last.leaf) found.add('wrong_place', 'The row is no neighbour.', place);
  else if (!follows && filter === undefined)
    found.add('missing_row', `${lane}-${last.seq + 1} should stand before ${lane}-${seq}.`, {
      lane,
      seq: last.seq + 1,
    });
  else if (follows && last.hash !== undefined && prev !== last.hash)
    found.add('broken_link', `The row does not name the hash of ${lane}-${last.seq}.`, place);
  else if (ts < last.ts) found.add('time_reversed', `${ts} is before ${last.ts}.`, place);
}

/** @param {Neighbour} neighbour */
function placeOf({ row, leaf }) {
  return { lane: row.lane, seq: row.seq, leaf };
}

/**
 * The rows beside those of the bundle, each proven to be in the tree.
 *
 * @param {Files} files
 * @param {Bundle} bundle
 * @param {Checkpoint} checkpoint
 * @param {Judgement} judgement
 * @returns {Neighbours}
 */
function readNeighbours(files, { workspaceId }, checkpoint, judgement) {
  /** @type {Neighbours} */
  const neighbours = { before: new Map(), after: new Map() };
  for (const [name, bytes] of files) {
    const [, lane, side] = /^neighbours\/(\d{1,5})-(before|after)\.tlog-proof$/.exec(name) ?? [];
    if (side === undefined) continue;
    const { row: rowBytes, index, hashes, note } = parseProof(bytes);
    const hash = leafHash(rowBytes);
    const isOfBundle = note.equals(needed(files, 'checkpoint'));
    const isProven = isOfBundle && includes(hash, index, checkpoint.size, hashes, checkpoint.root);
    if (!isProven)
      judgement.found.add('bad_proof', `${name} does not lead to the checkpoint.`, { leaf: index });
    const row = readShown(rowBytes, index, judgement.found);
    if (row === undefined) continue;
    if (row.ws !== workspaceId || String(row.lane) !== lane)
      judgement.found.add('wrong_place', `The row of ${name} is of another lane.`, { leaf: index });
    else if (isProven) {
      neighbours[side === 'before' ? 'before' : 'after'].set(row.lane, {
        row,
        hash: hash.toString('hex'),
        leaf: index,
      });
      judgement.count('neighbours');
    }
  }
  return neighbours;
}

/**
 * A row that is shown outside the bundle's leaves.
 *
 * @param {Uint8Array} bytes
 * @param {number} leaf
 * @param {Findings} found
 */
function readShown(bytes, leaf, found) {
  try {
    return readRow(bytes);
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    found.add(error.code, error.message, { leaf });
    return undefined;
  }
}

/**
 * Earlier checkpoints of the same log: signed, and each the beginning of the tree of the bundle's checkpoint.
 *
 * @param {Files} files
 * @param {Checkpoint} checkpoint
 * @param {Judgement} judgement
 * @returns {Map<number, Buffer>} roots by size, of those that are sound
 */
function readSeals(files, checkpoint, judgement) {
  /** @type {Map<number, Buffer>} */
  const seals = new Map();
  for (const [name, bytes] of files) {
    if (!/^seals\/\d{16}$/.test(name)) continue;
    const { origin, size, root, note } = parseCheckpoint(bytes);
    const proofName = `${name}.consistency.json`;
    const proof = parseConsistency(needed(files, proofName), proofName);
    const isProof = proof.from === size && proof.to === checkpoint.size;
    const fault =
      origin !== checkpoint.origin || size !== Number(name.slice(6))
        ? 'It is not the seal that its name says.'
        : judgement.signatureFault(note, origin);
    if (fault !== undefined) judgement.found.add('seal_mismatch', `${name}: ${fault}`);
    else if (!isProof || !isConsistent(size, root, checkpoint.size, checkpoint.root, proof.hashes))
      judgement.found.add('seal_mismatch', `${name}: The proof does not lead from it to the checkpoint.`);
    else {
      seals.set(size, root);
      judgement.count('seals');
    }
  }
  return seals;
}

/**
 * Tells of leaves too few or too many, unless a lane has a gap that explains it.
 *
 * @param {LaneWalk} walk
 * @param {number} count
 * @param {number} expected
 * @param {number} leaf where the first is amiss
 */
function tellCount({ found }, count, expected, leaf) {
  const hasGap = found.problems.some(({ code }) => code === 'missing_row');
  if (count < expected && !hasGap)
    found.add('missing_row', `${count} of ${expected} leaves are here.`, { leaf });
  if (count > expected)
    found.add('unsealed_row', `There are ${count} rows, of which ${expected} are sealed.`, { leaf });
}

/** @param {readonly Leaf[]} leaves @param {readonly Uint8Array[]} [sealed] */
function firstUnlike(leaves, sealed) {
  const index = leaves.findIndex(({ hash }, leaf) => Buffer.compare(hash, sealed?.[leaf] ?? hash) !== 0);
  return index === -1 ? Math.min(leaves.length, sealed?.length ?? leaves.length) : index;
}

/** @param {Uint8Array} bytes */
function asBuffer(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
