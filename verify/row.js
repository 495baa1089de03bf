/**
 * Audit rows, version 1, read strictly: `docs/audit-format.md` sections 2 and 3. Whatever is not the one canonical form
 * of a row within its bounds is refused.
 */
import { isUtf8 } from 'node:buffer';

/**
 * @typedef {{digest: string, id: string, kind: string, revision: number}} Change
 * @typedef {{id: string, type: string}} Subject
 * @typedef {object} Row
 * @property {string} action
 * @property {Subject} actor
 * @property {Change[]} changes
 * @property {{[name: string]: string}} detail
 * @property {Subject} entity
 * @property {string} ip
 * @property {number} lane
 * @property {string} nonce
 * @property {string} prev
 * @property {string} result
 * @property {number} seq
 * @property {string} ts
 * @property {string} ua
 * @property {string} ws
 */

export const MAX_ROW_BYTES = 65_535;
/** `prev` of the first row of lane 0. */
export const NO_ROW = '0'.repeat(64);

/** The bytes are no row. */
export class RowError extends Error {
  /**
   * @param {'malformed' | 'unknown_version' | 'not_canonical'} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Row}
 * @throws {RowError}
 */
export function readRow(bytes) {
  if (bytes.length > MAX_ROW_BYTES) throw malformed(`has more than ${MAX_ROW_BYTES} bytes`);
  if (!isUtf8(bytes)) throw malformed('is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const value = parseObject(text);
  if (value['v'] !== 1) throw new RowError('unknown_version', 'The row is of a version that is not known.');
  const known = {
    action: matching(value['action'], WORD, 'action'),
    actor: subject(value['actor'], 'actor'),
    changes: readChanges(value['changes']),
    detail: readDetail(value['detail']),
    entity: subject(value['entity'], 'entity'),
    ip: string(value['ip'], 1, 64, 'ip'),
    lane: matching(value['lane'], DECIMAL, 'lane'),
    nonce: matching(value['nonce'], NONCE, 'nonce'),
    prev: matching(value['prev'], HASH, 'prev'),
    result: matching(value['result'], RESULT, 'result'),
    seq: matching(value['seq'], DECIMAL, 'seq'),
    ts: timestamp(value['ts']),
    ua: userAgent(value['ua']),
    v: 1,
    ws: string(value['ws'], 1, 64, 'ws'),
  };
  const lane = whole(Number(known.lane), 0, 65_535, 'lane');
  const seq = whole(Number(known.seq), 1, Number.MAX_SAFE_INTEGER, 'seq');
  // Members that are unknown or doubled are not in `known`, or once: the text differs then, too.
  if (canonical(known) !== text)
    throw new RowError('not_canonical', 'The row is not in its one canonical form.');
  return { ...known, lane, seq };
}

/**
 * Canonical JSON (RFC 8785): members sorted by UTF-16 code units, strings and numbers as ECMAScript writes them.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const object = /** @type {{[name: string]: unknown}} */ (value);
  const members = Object.keys(object).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(object[name])}`).join(',')}}`;
}

const WORD = /^[a-z][a-z0-9_.]{0,63}$/;
const KIND = /^[A-Za-z]{1,32}$/;
const NAME = /^[A-Za-z][A-Za-z0-9]{0,31}$/;
const HASH = /^[0-9a-f]{64}$/;
const NONCE = /^[0-9a-f]{32}$/;
const RESULT = /^(?:success|failure|denied)$/;
const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** @param {string} text @returns {{[name: string]: unknown}} */
function parseObject(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('is not JSON');
  }
  return object(value, 'the row');
}

/** @param {unknown} value @returns {Change[]} */
function readChanges(value) {
  if (!Array.isArray(value) || value.length > 100) throw malformed('has no list of at most 100 changes');
  return value.map((item) => {
    const change = object(item, 'a change');
    return {
      digest: matching(change['digest'], HASH, 'digest'),
      id: string(change['id'], 1, 300, 'id'),
      kind: matching(change['kind'], KIND, 'kind'),
      revision: whole(change['revision'], 1, Number.MAX_SAFE_INTEGER, 'revision'),
    };
  });
}

/** @param {unknown} value */
function readDetail(value) {
  const members = Object.entries(object(value, 'detail'));
  if (members.length > 16) throw malformed('has more than 16 members in detail');
  return Object.fromEntries(
    members.map(([name, member]) => [
      matching(name, NAME, 'name in detail'),
      string(member, 0, 512, 'a value in detail'),
    ]),
  );
}

/** @param {unknown} value @param {string} name @returns {Subject} */
function subject(value, name) {
  const { id, type } = object(value, name);
  return { id: string(id, 1, 300, `the id of ${name}`), type: matching(type, WORD, `type of ${name}`) };
}

/** @param {unknown} value */
function userAgent(value) {
  // 256 code points are at most 512 code units.
  const text = string(value, 0, 512, 'ua');
  if (text.length > 256 && Array.from(text).length > 256) throw malformed('has a ua of over 256 code points');
  return text;
}

/** @param {unknown} value */
function timestamp(value) {
  const text = matching(value, INSTANT, 'ts');
  const milliseconds = Date.parse(text);
  // `Date` reads the 30th of February as a day of March.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== text)
    throw malformed('has a ts that no clock shows');
  return text;
}

/** @param {unknown} value @param {string} name @returns {{[name: string]: unknown}} */
function object(value, name) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`has no object as ${name}`);
  return /** @type {{[name: string]: unknown}} */ (value);
}

/** @param {unknown} value @param {number} minimum @param {number} maximum in UTF-16 code units @param {string} name */
function string(value, minimum, maximum, name) {
  if (typeof value !== 'string' || value.length < minimum || value.length > maximum || !value.isWellFormed())
    throw malformed(`has no text of ${minimum} to ${maximum} characters as ${name}`);
  return value;
}

/** @param {unknown} value @param {RegExp} pattern @param {string} name */
function matching(value, pattern, name) {
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(`has a wrong ${name}`);
  return value;
}

/** @param {unknown} value @param {number} minimum @param {number} maximum @param {string} name */
function whole(value, minimum, maximum, name) {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < minimum || value > maximum)
    throw malformed(`has no whole number of ${minimum} to ${maximum} as ${name}`);
  return value;
}

/** @param {string} what */
function malformed(what) {
  return new RowError('malformed', `The row ${what}.`);
}
