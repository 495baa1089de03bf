/**
 * Judges the daily archive of a workspace: the manifests as a chain, the objects that they name, and that every row in
 * those is the one that was sealed.
 */
import { gunzipSync } from 'node:zlib';
import { FormError, lines, MAX_UNPACKED_BYTES, parseManifest } from './bundle.js';
import { countWhile } from './lanes.js';
import { dayBefore, manifestFormFault } from './manifests.js';
import { hashAt, leafHash, sha256, TILE_WIDTH } from './merkle.js';
import { NoteError, parseCheckpoint } from './note.js';
import { NO_ROW } from './row.js';

/**
 * @typedef {import('./bundle.js').Manifest} Manifest
 * @typedef {import('./bundle.js').ManifestPart} ManifestPart
 * @typedef {import('./folder.js').Folder} Folder
 * @typedef {import('./judgement.js').Judgement} Judgement
 * @typedef {import('./judgement.js').Place} Place
 * @typedef {{workspaceId: string, origin: string, runs: readonly import('./lanes.js').Run[], tiles: readonly Buffer[], roots: ReadonlyMap<number, Buffer>}} Log
 * what the entries of the published log are: where the rows stand, the tiles of level 0, and the roots at some sizes
 * @typedef {{day: string, hash: string, last: Map<number, number>}} Day an archived day, its manifest's hash, and the last
 * row of each lane that is archived by then
 */

/** A part of the archive is not as it must be; at a row, if one is known. */
class ArchiveError extends Error {
  /**
   * @param {string} message
   * @param {Place} place
   */
  constructor(message, place = {}) {
    super(message);
    this.place = place;
  }
}

/**
 * @param {Folder} folder
 * @param {Log} log
 * @param {Judgement} judgement
 */
export function judgeDays(folder, log, judgement) {
  const { found, remarks } = judgement;
  const names = folder.list(`archive/${log.workspaceId}`);
  const sealed = new SealedRows(log);
  /** @type {Day | undefined} */
  let before;
  for (const day of names) {
    const where = `archive/${log.workspaceId}/${day}`;
    try {
      const bytes = folder.read(`${where}/manifest.json`);
      if (bytes === undefined && day === names.at(-1))
        remarks.push(`${where}: the day is not archived to its end.`);
      else before = judgeDay(folder, { ...log, sealed }, day, before, judgement);
    } catch (error) {
      if (error instanceof ArchiveError)
        found.add('archive_mismatch', `${where}: ${error.message}`, error.place);
      else if (error instanceof FormError) found.add(error.code, `${where}: ${error.message}`);
      else if (error instanceof NoteError) found.add('manifest_mismatch', `${where}: ${error.message}`);
      else throw error;
    }
  }
}

/**
 * @param {Folder} folder
 * @param {Log & {sealed: SealedRows}} log
 * @param {string} day
 * @param {Day | undefined} before
 * @param {Judgement} judgement
 * @returns {Day}
 */
function judgeDay(folder, log, day, before, judgement) {
  const where = `archive/${log.workspaceId}/${day}`;
  const bytes = folder.need(`${where}/manifest.json`);
  const fault = manifestFormFault(bytes, folder.need(`${where}/manifest.note`), { ...log, day }, judgement);
  if (fault !== undefined) judgement.found.add('manifest_mismatch', `${where}: ${fault}`);
  const manifest = parseManifest(bytes, `${where}/manifest.json`);
  const isFirst = manifest.previous === NO_ROW;
  if (before === undefined && !isFirst) judgement.remarks.push(`${where}: the days before are not here.`);
  if (before !== undefined && before.day !== dayBefore(day))
    judgement.found.add('missing_file', `There is no day between ${before.day} and ${day}.`);
  else if (before !== undefined && before.hash !== manifest.previous)
    judgement.found.add('manifest_mismatch', `${where}: It does not name the manifest of the day before.`);
  judgement.count('days');
  const last = new Map(before?.last);
  for (const lane of manifest.lanes) {
    const expected = (last.get(lane.lane) ?? lane.first - 1) + 1;
    if (lane.first !== expected)
      throw new ArchiveError(`Lane ${lane.lane} goes on at ${lane.first}, not at ${expected}.`, {
        lane: lane.lane,
        seq: expected,
      });
    judgeLane(folder, log.sealed, lane, manifest, day, judgement);
    last.set(lane.lane, lane.last);
  }
  for (const checkpoint of manifest.checkpoints) judgeCheckpoint(folder, log, checkpoint);
  return { day, hash: sha256(bytes).toString('hex'), last };
}

/**
 * @param {Folder} folder
 * @param {SealedRows} sealed
 * @param {import('./bundle.js').ManifestLane} entry
 * @param {Manifest} manifest whose parts hold just the rows of its lanes
 * @param {string} day
 * @param {Judgement} judgement
 */
function judgeLane(folder, sealed, entry, { ws, parts }, day, judgement) {
  const { lane, first, last, firstPrev, lastHash, lastTs } = entry;
  for (const part of parts.filter((candidate) => candidate.lane === lane)) {
    const ends = judgePart(readPart(folder, part, `archive/${ws}/${day}/`), part, sealed);
    if (part.first === first && !ends.first.includes(`"prev":"${firstPrev}","result"`))
      throw new ArchiveError('The row does not follow the one that the manifest names.', {
        lane,
        seq: first,
      });
    if (part.last === last && !ends.last.includes(`"ts":"${lastTs}","ua"`))
      throw new ArchiveError('The row has another time than the manifest says.', { lane, seq: last });
    judgement.count('parts');
    judgement.count('archivedRows', part.rows);
  }
  if (sealed.hashOf(lane, last)?.toString('hex') !== lastHash || lastTs.slice(0, 10) > day)
    throw new ArchiveError('The manifest ends with another row.', { lane, seq: last });
}

/**
 * @param {Folder} folder
 * @param {ManifestPart} part
 * @param {string} prefix of the names of the day's objects
 */
function readPart(folder, part, prefix) {
  if (!part.key.startsWith(prefix) || !/^[A-Za-z0-9._-]+$/.test(part.key.slice(prefix.length)))
    throw new ArchiveError('The manifest names an object outside its day.');
  const packed = folder.need(part.key);
  if (packed.length !== part.gzipBytes || sha256(packed).toString('hex') !== part.gzipSha256)
    throw new ArchiveError(`${part.key} is another object than the manifest names.`, {
      lane: part.lane,
      seq: part.first,
    });
  try {
    return gunzipSync(packed, { maxOutputLength: Math.min(Math.max(part.bytes, 1), MAX_UNPACKED_BYTES) });
  } catch {
    throw new ArchiveError(`${part.key} cannot be unpacked.`);
  }
}

/**
 * @param {Buffer} raw
 * @param {ManifestPart} part
 * @param {SealedRows} sealed
 * @returns {{first: Buffer, last: Buffer}} its rows at both ends
 */
function judgePart(raw, { key, lane, first, rows, bytes, sha256: expected }, sealed) {
  if (raw.length !== bytes || sha256(raw).toString('hex') !== expected || raw.at(-1) !== 0x0a)
    throw new ArchiveError(`${key} holds other rows than the manifest names.`, { lane, seq: first });
  let seq = first;
  let firstRow = raw;
  let lastRow = raw;
  for (const row of lines(raw)) {
    const hash = sealed.hashOf(lane, seq);
    if (hash === undefined) throw new ArchiveError(`${key} holds a row that is not sealed.`, { lane, seq });
    if (!leafHash(row).equals(hash))
      throw new ArchiveError(`${key} holds another row than was sealed.`, { lane, seq });
    if (seq === first) firstRow = row;
    lastRow = row;
    seq += 1;
  }
  if (seq !== first + rows)
    throw new ArchiveError(`${key} holds ${seq - first} rows, not ${rows}.`, { lane, seq });
  return { first: firstRow, last: lastRow };
}

/**
 * @param {Folder} folder
 * @param {Log} log
 * @param {{key: string, size: number, root: string}} named
 */
function judgeCheckpoint(folder, { workspaceId, origin, roots }, { key, size, root }) {
  if (key !== `log/${workspaceId}/seals/${String(size).padStart(16, '0')}`)
    throw new ArchiveError('The manifest names a checkpoint outside the seals of its log.');
  const seal = parseCheckpoint(folder.need(key));
  const isNamed = seal.origin === origin && seal.size === size && seal.root.toString('base64') === root;
  if (!isNamed || roots.get(size)?.toString('base64') !== root)
    throw new ArchiveError(`${key} is another checkpoint than the manifest names.`);
}

/** The hashes of the sealed rows by lane and number. */
class SealedRows {
  #tiles;
  /** By rising number. @type {Map<number, import('./lanes.js').Run[]>} */
  #lanes = new Map();

  /** @param {Log} log */
  constructor({ runs, tiles }) {
    this.#tiles = tiles;
    for (const run of runs) {
      const inLane = this.#lanes.get(run.lane);
      if (inLane === undefined) this.#lanes.set(run.lane, [run]);
      else inLane.push(run);
    }
  }

  /** @param {number} lane @param {number} seq */
  hashOf(lane, seq) {
    const runs = this.#lanes.get(lane) ?? [];
    const run = runs[countWhile(runs, (candidate) => candidate.seq <= seq) - 1];
    if (run === undefined || seq >= run.seq + run.count) return undefined;
    const leaf = run.leaf + seq - run.seq;
    const tile = this.#tiles[Math.floor(leaf / TILE_WIDTH)];
    return tile && hashAt(tile, leaf % TILE_WIDTH);
  }
}
