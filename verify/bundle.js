/**
 * The outer form of evidence: the zip file, and the JSON documents in it. Nothing is believed here, only read.
 *
 * Zip as in PKWARE's APPNOTE 6.3: entries stored or deflated, without encryption, in one volume, below 4 GiB.
 */
import { isUtf8 } from 'node:buffer';
import { crc32, inflateRawSync } from 'node:zlib';
import { hashFromBase64, NoteError } from './note.js';
import { canonical } from './row.js';

/**
 * @typedef {{action?: string, actorId?: string, entityId?: string}} Filter
 * @typedef {object} Bundle
 * @property {string} origin
 * @property {string} workspaceId
 * @property {string} [from] a timestamp
 * @property {string} [to] a timestamp, excluded
 * @property {Filter} [filter]
 * @property {number} firstLeaf
 * @property {number} leaves
 * @property {number} treeSize
 * @property {string} createdAt
 *
 * @typedef {{lane: number, first: number, last: number, firstPrev: string, lastHash: string, lastTs: string}} ManifestLane
 * @typedef {object} ManifestPart
 * @property {string} key
 * @property {number} lane
 * @property {number} first
 * @property {number} last
 * @property {number} rows
 * @property {number} bytes
 * @property {string} sha256
 * @property {number} gzipBytes
 * @property {string} gzipSha256
 * @typedef {{key: string, size: number, root: string}} ManifestCheckpoint
 * @typedef {object} Manifest
 * @property {string} ws
 * @property {string} day
 * @property {string} previous
 * @property {ManifestLane[]} lanes
 * @property {ManifestPart[]} parts
 * @property {ManifestCheckpoint[]} checkpoints
 */

/** The evidence is not of its form: it was damaged, or made by something else. */
export class FormError extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions & {code?: 'malformed_evidence' | 'missing_file'}} options
   */
  constructor(message, { code = 'malformed_evidence', ...options } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** All files of a bundle together, unpacked; so that no small file fills the memory. */
export const MAX_UNPACKED_BYTES = 1024 ** 3;
const MAX_FILES = 10_000;
/** Names with `/` between parts; a part never begins with a dot. */
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/**
 * Unpacks a zip file strictly: what one program would show and another would not is refused.
 *
 * @param {Buffer} zip
 * @returns {Map<string, Buffer>}
 * @throws {FormError}
 */
export function unzip(zip) {
  try {
    return readEntries(zip);
  } catch (error) {
    if (error instanceof FormError) throw error;
    // Reading beyond the end, or data that does not inflate.
    throw new FormError('The zip file is damaged.', { cause: error });
  }
}

/** @param {Buffer} zip */
function readEntries(zip) {
  const end = zip.length - 22;
  if (end < 0 || zip.readUInt32LE(end) !== 0x06054b50)
    throw new FormError('The file is no zip file, or its end is missing.');
  const count = zip.readUInt16LE(end + 10);
  if (zip.readUInt16LE(end + 8) !== count || count > MAX_FILES)
    throw new FormError('The zip file is split, or holds too many files.');
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  /** @type {{start: number, end: number}[]} */
  const spans = [];
  let position = zip.readUInt32LE(end + 16);
  let room = MAX_UNPACKED_BYTES;
  for (let index = 0; index < count; index += 1) {
    const entry = readDirectoryEntry(zip, position);
    position = entry.next;
    if (entry.name.endsWith('/') && entry.size === 0) continue;
    if (!FILE_NAME.test(entry.name)) throw new FormError('The zip file holds a file with a forbidden name.');
    if (files.has(entry.name)) throw new FormError('The zip file holds two files with one name.');
    room -= entry.size;
    if (room < 0) throw new FormError('The zip file unpacks to more than 1 GiB.');
    const span = dataSpan(zip, entry);
    spans.push(span);
    files.set(entry.name, unpack(zip.subarray(span.data, span.end), entry));
  }
  if (position !== end) throw new FormError('The directory of the zip file has another length than it says.');
  spans.sort((a, b) => a.start - b.start);
  if (spans.some((span, index) => span.start < (spans[index - 1]?.end ?? 0)))
    throw new FormError('Files in the zip file overlap.');
  return files;
}

/**
 * @typedef {{name: string, method: number, crc: number, packed: number, size: number, offset: number, next: number}} Entry
 * @param {Buffer} zip
 * @param {number} at
 * @returns {Entry}
 */
function readDirectoryEntry(zip, at) {
  if (zip.readUInt32LE(at) !== 0x02014b50) throw new FormError('The directory of the zip file is damaged.');
  if ((zip.readUInt16LE(at + 8) & 1) !== 0) throw new FormError('The zip file is encrypted.');
  const nameLength = zip.readUInt16LE(at + 28);
  return {
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    packed: zip.readUInt32LE(at + 20),
    size: zip.readUInt32LE(at + 24),
    offset: zip.readUInt32LE(at + 42),
    name: zip.toString('latin1', at + 46, at + 46 + nameLength),
    next: at + 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32),
  };
}

/** @param {Buffer} zip @param {Entry} entry */
function dataSpan(zip, { name, offset, packed }) {
  const nameLength = zip.readUInt16LE(offset + 26);
  const data = offset + 30 + nameLength + zip.readUInt16LE(offset + 28);
  const isSame = zip.toString('latin1', offset + 30, offset + 30 + nameLength) === name;
  if (zip.readUInt32LE(offset) !== 0x04034b50 || !isSame || data + packed > zip.length)
    throw new FormError(`The zip file is damaged at ${name}.`);
  return { start: offset, data, end: data + packed };
}

/** @param {Buffer} packed @param {Entry} entry */
function unpack(packed, { name, method, size, crc }) {
  if (method !== 0 && method !== 8) throw new FormError(`${name} is packed in a way that is not allowed.`);
  const bytes = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  if (bytes.length !== size || crc32(bytes) !== crc) throw new FormError(`${name} is damaged.`);
  return bytes;
}

/**
 * The lines of a file, without their newlines. A newline at the very end is not the start of another line.
 *
 * @param {Buffer} file
 */
export function* lines(file) {
  for (let start = 0; start < file.length; ) {
    const newline = file.indexOf(0x0a, start);
    const end = newline === -1 ? file.length : newline;
    yield file.subarray(start, end);
    start = end + 1;
  }
}

/** @param {Buffer} bytes @returns {Bundle} */
export function parseBundle(bytes) {
  const { format, ...bundle } = readObject(bytes, 'bundle.json', BUNDLE);
  if (format !== 'lockzero-evidence/1')
    throw new FormError('The bundle is of a format that this version does not know.');
  return /** @type {Bundle} */ (/** @type {unknown} */ (bundle));
}

/** @param {Buffer} bytes @returns {{left: Buffer[], right: Buffer[]}} */
export function parseRangeProof(bytes) {
  const { left, right } = readObject(bytes, 'range-proof.json', { left: isTexts, right: isTexts });
  return { left: hashes(left), right: hashes(right) };
}

/** @param {Buffer} bytes @param {string} name @returns {{from: number, to: number, hashes: Buffer[]}} */
export function parseConsistency(bytes, name) {
  const proof = readObject(bytes, name, { from: isWhole, to: isWhole, hashes: isTexts });
  return { from: Number(proof['from']), to: Number(proof['to']), hashes: hashes(proof['hashes']) };
}

/** @param {Buffer} bytes @param {string} name @returns {Manifest} */
export function parseManifest(bytes, name) {
  return /** @type {Manifest} */ (/** @type {unknown} */ (readObject(bytes, name, MANIFEST)));
}

/**
 * @param {ReadonlyMap<string, Buffer>} files
 * @param {string} name
 */
export function needed(files, name) {
  const file = files.get(name);
  if (file === undefined) throw new FormError(`${name} is missing.`, { code: 'missing_file' });
  return file;
}

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const isText = (value) => typeof value === 'string' && value.length <= 4_096;
/** @type {Check} */
const isTexts = (value) => Array.isArray(value) && value.every(isText);
/** @type {Check} */
const isWhole = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @type {Check} */
const isHex = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
/** @type {Check} */
const isInstant = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);

const BUNDLE = {
  format: isText,
  origin: isText,
  workspaceId: isText,
  'from?': isInstant,
  'to?': isInstant,
  'filter?': isShaped({ 'action?': isText, 'actorId?': isText, 'entityId?': isText }),
  firstLeaf: isWhole,
  leaves: isWhole,
  treeSize: isWhole,
  createdAt: isInstant,
};
const MANIFEST_LANE = {
  lane: isWhole,
  first: isWhole,
  last: isWhole,
  firstPrev: isHex,
  lastHash: isHex,
  lastTs: isInstant,
};
const MANIFEST_PART = {
  key: isText,
  versionId: isText,
  lane: isWhole,
  first: isWhole,
  last: isWhole,
  rows: isWhole,
  bytes: isWhole,
  sha256: isHex,
  gzipBytes: isWhole,
  gzipSha256: isHex,
};
const MANIFEST = {
  v: /** @type {Check} */ ((value) => value === 1),
  ws: isText,
  day: isText,
  previous: isHex,
  lanes: isListOf(MANIFEST_LANE),
  parts: isListOf(MANIFEST_PART),
  checkpoints: isListOf({ key: isText, versionId: isText, size: isWhole, root: isText }),
};

/**
 * An object with just these members; one whose name ends with `?` may be absent.
 *
 * @param {{[name: string]: Check}} shape
 * @returns {Check}
 */
function isShaped(shape) {
  const members = Object.entries(shape).map(([name, check]) => ({
    name: name.replace('?', ''),
    check,
    isOptional: name.endsWith('?'),
  }));
  const names = new Set(members.map(({ name }) => name));
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).every((name) => names.has(name)) &&
    members.every(({ name, check, isOptional }) =>
      Object.hasOwn(value, name) ? check(Object.getOwnPropertyDescriptor(value, name)?.value) : isOptional,
    );
}

/** @param {{[name: string]: Check}} shape @returns {Check} */
function isListOf(shape) {
  const isItem = isShaped(shape);
  return (value) => Array.isArray(value) && value.every(isItem);
}

/**
 * @param {Buffer} bytes
 * @param {string} name
 * @param {{[name: string]: Check}} shape
 * @returns {{[name: string]: unknown}}
 */
function readObject(bytes, name, shape) {
  if (!isUtf8(bytes)) throw new FormError(`${name} is not UTF-8.`);
  let value;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new FormError(`${name} is not JSON.`);
  }
  // The canonical form has no doubled members, so no two readers see two documents.
  if (!isShaped(shape)(value) || canonical(value) !== bytes.toString('utf8'))
    throw new FormError(`${name} is not of its form.`);
  return value;
}

/** @param {unknown} texts checked to be texts */
function hashes(texts) {
  try {
    return /** @type {string[]} */ (texts).map(hashFromBase64);
  } catch (error) {
    if (error instanceof NoteError) throw new FormError(error.message);
    throw error;
  }
}
