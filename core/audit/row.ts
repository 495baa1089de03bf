import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { canonicalString } from '../kernel/canonical-json.ts';
import { isTimestamp, type Timestamp } from '../kernel/timestamps.ts';
import { readPlainRow } from './plain-row.ts';

/** How one entity stood after a row: the digest of its content, or 64 zeros where the row removed it. */
export interface RowChange {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly digest: string;
}

/** An audit row, version 1: a closed schema. `docs/audit-format.md` is its specification. */
export interface AuditRow {
  readonly ws: string;
  readonly lane: number;
  readonly seq: number;
  readonly ts: Timestamp;
  readonly prev: string;
  readonly nonce: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly entity: { readonly type: string; readonly id: string };
  readonly changes: readonly RowChange[];
  readonly ip: string;
  readonly ua: string;
  readonly result: string;
  readonly detail: { readonly [key: string]: string };
}

export const MAX_ROW_BYTES = 65_535;
export const MAX_USER_AGENT_CODE_POINTS = 256;
/** `prev` of the first row of lane 0. */
export const GENESIS_HASH = '0'.repeat(64);

/** The bytes are no audit row of version 1. `reason` is a closed code that the verifier reports. */
export class RowFormatError extends Error {
  override readonly name = 'RowFormatError';
  readonly reason: 'malformed' | 'unknown_version' | 'not_canonical';

  constructor(reason: RowFormatError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * The row hash `h = SHA-256(0x00 || bytes)`, lower-case hex: the link of the chain and the leaf hash of RFC 6962
 * section 2.1 at once. The prefix separates leaves from inner nodes.
 */
export function rowHash(bytes: Uint8Array): string {
  if (bytes.length > MAX_ROW_BYTES) return hash('sha256', Buffer.concat([LEAF_PREFIX, bytes]), 'hex');
  leaf.set(bytes, LEAF_PREFIX.length);
  return hash('sha256', leaf.subarray(0, LEAF_PREFIX.length + bytes.length), 'hex');
}

const LEAF_PREFIX = Uint8Array.of(0x00);
/** Prefix and row side by side: hashing both in one call is twice as fast as in two. */
const leaf = new Uint8Array(LEAF_PREFIX.length + MAX_ROW_BYTES);

/**
 * The row as canonical JSON (RFC 8785). The schema is closed, so its members can be spelled out in sorted order;
 * that is several times faster than sorting, and one function serves writing and strict reading.
 *
 * @throws RowFormatError when a field is outside its bounds or the row exceeds {@link MAX_ROW_BYTES}.
 */
export function encodeRow(row: AuditRow): Uint8Array {
  checkBounds(row);
  const bytes = Buffer.from(rowText(row), 'utf8');
  if (bytes.length > MAX_ROW_BYTES)
    throw malformed(`the row has ${bytes.length} bytes, over ${MAX_ROW_BYTES}`);
  return bytes;
}

/**
 * Reads row bytes strictly: the one canonical form of a version 1 row, or an error. What this accepts, `encodeRow`
 * writes back byte for byte.
 *
 * @throws RowFormatError
 */
export function decodeRow(bytes: Uint8Array): AuditRow {
  if (bytes.length > MAX_ROW_BYTES) throw malformed('the row is too long');
  return readPlainRow(bytes) ?? readAnyRow(bytes);
}

/** {@link decodeRow} without its shortcut. */
export function readAnyRow(bytes: Uint8Array): AuditRow {
  if (!isUtf8(bytes)) throw malformed('the row is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const value = parse(text);
  if (value.v !== 1) throw new RowFormatError('unknown_version', 'the row is of an unknown version');
  const row: AuditRow = {
    ws: value.ws,
    lane: decimal(value.lane),
    seq: decimal(value.seq),
    ts: value.ts,
    prev: value.prev,
    nonce: value.nonce,
    actor: value.actor,
    action: value.action,
    entity: value.entity,
    changes: value.changes,
    ip: value.ip,
    ua: value.ua,
    result: value.result,
    detail: value.detail,
  };
  checkBounds(row);
  if (rowText(row) !== text) throw new RowFormatError('not_canonical', 'the row is not in canonical form');
  return row;
}

type ParsedRow = Omit<AuditRow, 'lane' | 'seq'> & { v: unknown; lane: unknown; seq: unknown };

function parse(text: string): ParsedRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('the row is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the row is no object');
  // Every member is checked below: its bounds by `checkBounds`, and that there is no other by the canonical form.
  return value as ParsedRow;
}

function rowText(row: AuditRow): string {
  const changes = row.changes.map(
    (c) =>
      `{"digest":"${c.digest}","id":${canonicalString(c.id)},"kind":${canonicalString(c.kind)},"revision":${c.revision}}`,
  );
  const detail = Object.keys(row.detail)
    .sort()
    .map((key) => `"${key}":${canonicalString(row.detail[key] ?? '')}`);
  return (
    `{"action":${canonicalString(row.action)},"actor":{"id":${canonicalString(row.actor.id)},"type":${canonicalString(row.actor.type)}},` +
    `"changes":[${changes.join(',')}],"detail":{${detail.join(',')}},` +
    `"entity":{"id":${canonicalString(row.entity.id)},"type":${canonicalString(row.entity.type)}},` +
    `"ip":${canonicalString(row.ip)},"lane":"${row.lane}","nonce":"${row.nonce}","prev":"${row.prev}",` +
    `"result":"${row.result}","seq":"${row.seq}","ts":"${row.ts}","ua":${canonicalString(row.ua)},"v":1,"ws":${canonicalString(row.ws)}}`
  );
}

const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_64 = /^[0-9a-f]{64}$/;
const WORD = /^[a-z][a-z0-9_.]{0,63}$/;
const KIND = /^[A-Za-z]{1,32}$/;
const DETAIL_KEY = /^[A-Za-z][A-Za-z0-9]{0,31}$/;
const DECIMAL = /^(0|[1-9]\d{0,15})$/;
const RESULTS: ReadonlySet<unknown> = new Set(['success', 'failure', 'denied']);
const MAX_CHANGES = 100;
/** Members of a row's `detail`. */
export const MAX_DETAILS = 16;

function checkBounds(row: AuditRow): void {
  text(row.ws, 1, 64, 'ws');
  integer(row.lane, 0, 65_535, 'lane');
  integer(row.seq, 1, Number.MAX_SAFE_INTEGER, 'seq');
  if (typeof row.ts !== 'string' || !isTimestamp(row.ts)) throw malformed('ts is no timestamp');
  pattern(row.prev, HEX_64, 'prev');
  pattern(row.nonce, HEX_32, 'nonce');
  pattern(row.action, WORD, 'action');
  if (!RESULTS.has(row.result)) throw malformed('result is unknown');
  subject(row.actor, 'actor');
  subject(row.entity, 'entity');
  text(row.ip, 1, 64, 'ip');
  text(row.ua, 0, 2 * MAX_USER_AGENT_CODE_POINTS, 'ua');
  if (row.ua.length > MAX_USER_AGENT_CODE_POINTS && [...row.ua].length > MAX_USER_AGENT_CODE_POINTS) {
    throw malformed(`ua has more than ${MAX_USER_AGENT_CODE_POINTS} code points`);
  }
  if (!Array.isArray(row.changes) || row.changes.length > MAX_CHANGES)
    throw malformed('changes are no short list');
  for (const change of row.changes) {
    if (typeof change !== 'object' || change === null) throw malformed('a change is no object');
    pattern(change.kind, KIND, 'kind');
    text(change.id, 1, 300, 'id');
    integer(change.revision, 1, Number.MAX_SAFE_INTEGER, 'revision');
    pattern(change.digest, HEX_64, 'digest');
  }
  if (typeof row.detail !== 'object' || row.detail === null) throw malformed('detail is no object');
  const details = Object.entries(row.detail);
  if (details.length > MAX_DETAILS) throw malformed('detail has too many members');
  for (const [key, value] of details) {
    pattern(key, DETAIL_KEY, 'a detail name');
    text(value, 0, 512, 'a detail');
  }
}

function subject(value: { readonly type: string; readonly id: string }, name: string): void {
  if (typeof value !== 'object' || value === null) throw malformed(`${name} is no object`);
  pattern(value.type, WORD, `${name} type`);
  text(value.id, 1, 300, `${name} id`);
}

function text(value: unknown, minimum: number, maximum: number, name: string): void {
  if (
    typeof value !== 'string' ||
    value.length < minimum ||
    value.length > maximum ||
    !value.isWellFormed()
  ) {
    throw malformed(`${name} is no text of ${minimum} to ${maximum} UTF-16 code units`);
  }
}

function pattern(value: unknown, expected: RegExp, name: string): void {
  if (typeof value !== 'string' || !expected.test(value)) throw malformed(`${name} is not of its form`);
}

function integer(value: unknown, minimum: number, maximum: number, name: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < minimum || (value as number) > maximum) {
    throw malformed(`${name} is no whole number in its range`);
  }
}

function decimal(value: unknown): number {
  if (typeof value !== 'string' || !DECIMAL.test(value))
    throw malformed('lane and seq must be decimal numbers');
  return Number(value);
}

function malformed(message: string): RowFormatError {
  return new RowFormatError('malformed', message);
}

/** The first 256 code points: a user agent may be any length, a row may not. Lone surrogates become U+FFFD. */
export function boundedUserAgent(userAgent: string): string {
  return [...userAgent.toWellFormed()].slice(0, MAX_USER_AGENT_CODE_POINTS).join('');
}
