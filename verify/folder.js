/**
 * Judges the archive itself: a copy of the bucket, or of what it holds of some workspaces. A workspace's log lies below
 * `log/<workspace>/` in the layout of C2SP tlog-tiles, with every earlier checkpoint in `seals/`; its daily archive below
 * `archive/<workspace>/`. All rows are read, bundle by bundle; what is kept of them is their hashes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeDays } from './archive.js';
import { FormError } from './bundle.js';
import { judge } from './judgement.js';
import { LaneWalk } from './lanes.js';
import { HASH_BYTES, hashAt, leafHash, TILE_WIDTH, Tree, tilePath } from './merkle.js';
import { NoteError, parseCheckpoint } from './note.js';
import { rebuild, tellChanged } from './range.js';

/**
 * @typedef {import('./judgement.js').Judgement} Judgement
 * @typedef {import('./judgement.js').Options} Options
 * @typedef {import('./judgement.js').Result} Result
 * @typedef {import('./note.js').Checkpoint} Checkpoint
 */

/**
 * @param {string} path
 * @param {Options} options
 * @returns {Result}
 * @throws {NoteError} when what the auditor brings is not of its form
 */
export function verifyArchive(path, options = {}) {
  return judge(options, (judgement) => {
    const folder = new Folder(path);
    const workspaces = folder.list('log').filter((name) => folder.has(`log/${name}/checkpoint`));
    if (workspaces.length === 0)
      throw new FormError('The folder holds no log/<workspace>/checkpoint.', { code: 'missing_file' });
    const origins = workspaces.map((workspaceId) => judgeWorkspace(folder, workspaceId, judgement));
    const [first = ''] = origins;
    if (!origins.some((origin) => judgement.hasKeyOf(origin))) judgement.demandKeyOf(first);
    const { kept } = judgement;
    if (kept !== undefined && !origins.includes(kept.origin))
      judgement.found.add(
        'wrong_origin',
        `The checkpoint that you kept is of ${kept.origin}, which is not here.`,
      );
  });
}

/** Files below a folder. Names are made of `/`; what is not there is `undefined`. */
export class Folder {
  #path;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** @param {string} name @returns {Buffer | undefined} */
  read(name) {
    return ifThere(() => readFileSync(join(this.#path, name)));
  }

  /** @param {string} name @returns {Buffer} @throws {FormError} */
  need(name) {
    const bytes = this.read(name);
    if (bytes === undefined) throw new FormError(`${name} is missing.`, { code: 'missing_file' });
    return bytes;
  }

  /** @param {string} name @returns {string[]} */
  list(name) {
    return (ifThere(() => readdirSync(join(this.#path, name))) ?? []).sort();
  }

  /** @param {string} name */
  has(name) {
    return this.read(name) !== undefined;
  }
}

/** @template T @param {() => T} read @returns {T | undefined} */
function ifThere(read) {
  try {
    return read();
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/**
 * @param {Folder} folder
 * @param {string} workspaceId
 * @param {Judgement} judgement
 * @returns {string} the origin of its log
 */
function judgeWorkspace(folder, workspaceId, judgement) {
  const walk = new LaneWalk(workspaceId, { fromStart: true, filtered: false });
  let origin = '';
  try {
    const published = parseCheckpoint(folder.need(`log/${workspaceId}/checkpoint`));
    origin = published.origin;
    judgeLog(folder, workspaceId, published, walk, judgement);
  } catch (error) {
    if (!(error instanceof FormError || error instanceof NoteError)) throw error;
    const code = error instanceof FormError ? error.code : 'malformed_evidence';
    judgement.found.add(code, `${workspaceId}: ${error.message}`);
  }
  judgement.found.addAll(walk.found);
  judgement.count('logs');
  return origin;
}

/**
 * @param {Folder} folder
 * @param {string} workspaceId
 * @param {Checkpoint} published
 * @param {LaneWalk} walk
 * @param {Judgement} judgement
 */
function judgeLog(folder, workspaceId, published, walk, judgement) {
  const log = `log/${workspaceId}`;
  const seals = readSeals(folder, log, published.origin, judgement);
  // A seal lies there before the checkpoint is replaced; and somebody might put back an older checkpoint.
  const newest = seals.at(-1);
  const checkpoint = newest !== undefined && newest.size > published.size ? newest : published;
  judgement.openLog(checkpoint, workspaceId);
  if (checkpoint !== published) {
    judgement.remarks.push(
      `${workspaceId}: the published checkpoint is older than the last seal, ${checkpoint.size}.`,
    );
    seals.unshift(published);
  }
  const { size } = checkpoint;
  const wanted = new Set([...seals.map((seal) => seal.size), judgement.kept?.size ?? 0]);
  /** The tiles of level 0 as they must be. @type {Buffer[]} */
  const tiles = [];
  const leaves = () => readLeaves(folder, log, size, tiles, judgement);
  const { count, root, roots } = rebuild(
    { firstLeaf: 0, size, left: [], right: [], leaves },
    wanted,
    (leaf, { row, hash }) => {
      if (row !== undefined) walk.add(leaf, row, hash);
    },
  );
  walk.finish();
  judgement.count('leaves', count);
  judgement.count('rows', walk.rows);
  judgement.count('lanes', walk.firsts.size);
  const isWhole = root?.equals(checkpoint.root) === true;
  const unlike = judgeTiles(folder, log, tiles, isWhole, judgement);
  // Where the entries end too early, that is told already, and nothing can be compared with the rest.
  if (!isWhole && count === size) {
    judgement.found.add(
      'root_mismatch',
      `${workspaceId}: the entries do not give the root of the checkpoint.`,
    );
    if (rootOfTiles(folder, log, size)?.equals(checkpoint.root)) tellChanged(walk, unlike);
  }
  const disagreeing = seals.find((seal) => roots.get(seal.size)?.equals(seal.root) === false);
  if (disagreeing !== undefined) {
    const message = `${workspaceId}: the entries do not give the root of the seal at ${disagreeing.size}, nor maybe of later ones.`;
    judgement.found.add('seal_mismatch', message);
  }
  if (judgement.kept?.origin === checkpoint.origin)
    judgement.compareWithKept(checkpoint, (wantedSize) => roots.get(wantedSize));
  if (count === size)
    judgeDays(folder, { workspaceId, origin: checkpoint.origin, runs: walk.runs, tiles, roots }, judgement);
}

/**
 * All checkpoints that were ever published, by rising size.
 *
 * @param {Folder} folder
 * @param {string} log
 * @param {string} origin
 * @param {Judgement} judgement
 */
function readSeals(folder, log, origin, judgement) {
  const seals = [];
  for (const name of folder.list(`${log}/seals`)) {
    const seal = parseCheckpoint(folder.need(`${log}/seals/${name}`));
    const isNamed = seal.origin === origin && String(seal.size).padStart(16, '0') === name;
    const fault = isNamed
      ? judgement.signatureFault(seal.note, origin)
      : 'It is not the seal that its name says.';
    if (fault === undefined) seals.push(seal);
    else judgement.found.add('seal_mismatch', `${log}/seals/${name}: ${fault}`);
  }
  judgement.count('seals', seals.length);
  return seals;
}

/**
 * The entries of the log in order; stops where they do.
 *
 * @param {Folder} folder
 * @param {string} log
 * @param {number} size
 * @param {Buffer[]} tiles gets the tiles of level 0 that follow from the entries
 * @param {Judgement} judgement
 */
function* readLeaves(folder, log, size, tiles, judgement) {
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first);
    const path = `${log}/${tilePath('entries', first / TILE_WIDTH)}`;
    const file = widest(folder, path, width);
    if (file === undefined) {
      judgement.found.add('missing_file', `${path} with ${width} entries is missing.`, { leaf: first });
      return;
    }
    const { entries, ends, isWhole } = decodeEntries(file.bytes);
    for (const { partial, bytes } of partials(folder, path)) {
      if (!file.bytes.subarray(0, ends[partial - 1] ?? 0).equals(bytes) && partial <= file.width)
        judgement.found.add('tile_mismatch', `${path}.p/${partial} differs from ${path}.`);
    }
    const hashes = [];
    for (const row of entries.slice(0, width)) {
      const hash = leafHash(row);
      hashes.push(hash);
      yield { row, hash };
    }
    tiles.push(Buffer.concat(hashes));
    if (!isWhole || entries.length !== file.width) {
      const leaf = first + Math.min(entries.length, width);
      judgement.found.add('tile_mismatch', `${path} does not hold ${file.width} whole entries.`, { leaf });
      if (hashes.length < width) return;
    }
  }
}

/**
 * The file of a tile or bundle with at least this width: the full one, or the widest of the partial ones.
 *
 * @param {Folder} folder
 * @param {string} path
 * @param {number} width
 */
function widest(folder, path, width) {
  const full = folder.read(path);
  if (full !== undefined) return { bytes: full, width: TILE_WIDTH };
  const partial = Math.max(0, ...widths(folder, path));
  const bytes = partial < width ? undefined : folder.read(`${path}.p/${partial}`);
  return bytes && { bytes, width: partial };
}

/** @param {Folder} folder @param {string} path */
function* partials(folder, path) {
  for (const partial of widths(folder, path)) {
    yield { partial, bytes: folder.need(`${path}.p/${partial}`) };
  }
}

/** @param {Folder} folder @param {string} path */
function widths(folder, path) {
  return folder
    .list(`${path}.p`)
    .filter((name) => /^[1-9]\d{0,2}$/.test(name))
    .map(Number);
}

/**
 * Entries, each after its length as 16 bits, the higher byte first; and where each ends.
 *
 * @param {Buffer} bytes
 */
function decodeEntries(bytes) {
  const entries = [];
  const ends = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(at + 2, end));
    ends.push(end);
    at = end;
  }
  return { entries, ends, isWhole: (ends.at(-1) ?? 0) === bytes.length };
}

/**
 * Compares every tile of hashes with what follows from the entries.
 *
 * @param {Folder} folder
 * @param {string} log
 * @param {readonly Buffer[]} leafTiles
 * @param {boolean} areEntriesRight
 * @param {Judgement} judgement
 * @returns {number[]} leaves of which a tile of level 0 has another hash
 */
function judgeTiles(folder, log, leafTiles, areEntriesRight, judgement) {
  /** @type {number[]} */
  const unlike = [];
  let tiles = leafTiles;
  for (let level = 0; tiles.length > 0; level += 1) {
    for (const [index, expected] of tiles.entries()) {
      const path = `${log}/${tilePath(level, index)}`;
      const width = expected.length / HASH_BYTES;
      const file = widest(folder, path, width);
      if (file === undefined) judgement.found.add('missing_file', `${path} with ${width} hashes is missing.`);
      const files =
        file === undefined ? [] : [{ partial: file.width, bytes: file.bytes }, ...partials(folder, path)];
      for (const { partial, bytes } of files) {
        const common = Math.min(partial, width) * HASH_BYTES;
        const isEqual =
          bytes.length === partial * HASH_BYTES &&
          bytes.subarray(0, common).equals(expected.subarray(0, common));
        if (level === 0 && !isEqual)
          unlike.push(...unlikeHashes(expected, bytes).map((at) => index * TILE_WIDTH + at));
        if (!isEqual && (areEntriesRight || level > 0))
          judgement.found.add(
            'tile_mismatch',
            `${path} with ${partial} hashes does not follow from the entries.`,
          );
      }
      judgement.count('tiles', files.length > 0 ? 1 : 0);
    }
    tiles = tilesAbove(tiles);
  }
  return [...new Set(unlike)];
}

/** @param {Buffer} expected @param {Buffer} bytes */
function unlikeHashes(expected, bytes) {
  const count = Math.min(expected.length, bytes.length) / HASH_BYTES;
  return Array.from({ length: Math.floor(count) }, (_, at) => at).filter(
    (at) => !hashAt(expected, at).equals(hashAt(bytes, at)),
  );
}

/**
 * The tiles of the next level: the roots of the full ones of this level.
 *
 * @param {readonly Buffer[]} tiles
 */
function tilesAbove(tiles) {
  const roots = tiles.filter((tile) => tile.length === TILE_WIDTH * HASH_BYTES).map((tile) => rootOf([tile]));
  /** @type {Buffer[]} */
  const above = [];
  for (let first = 0; first < roots.length; first += TILE_WIDTH)
    above.push(Buffer.concat(roots.slice(first, first + TILE_WIDTH)));
  return above;
}

/** @param {readonly Buffer[]} tiles */
function rootOf(tiles) {
  const tree = new Tree();
  for (const tile of tiles) {
    for (let at = 0; at < tile.length / HASH_BYTES; at += 1) tree.add(hashAt(tile, at));
  }
  return tree.root();
}

/**
 * The root that the tiles of level 0 give as they lie there.
 *
 * @param {Folder} folder
 * @param {string} log
 * @param {number} size
 */
function rootOfTiles(folder, log, size) {
  const tiles = [];
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first);
    const file = widest(folder, `${log}/${tilePath(0, first / TILE_WIDTH)}`, width);
    if (file === undefined) return undefined;
    tiles.push(file.bytes.subarray(0, width * HASH_BYTES));
  }
  return rootOf(tiles);
}
