import { isTimestamp } from '../kernel/timestamps.ts';
import type { AuditRow, RowChange } from './row.ts';

/**
 * Reads the rows whose strings are all printable ASCII without quotes and backslashes: nearly every row. For those, the
 * canonical form is a regular language, so one expression checks form, bounds and canonicality at once, at a third of
 * the cost of parsing and writing back. That is what lets a verifier keep up with a log of millions of rows.
 *
 * It accepts nothing that `decodeRow` would refuse without it, and reads it alike; the tests compare the two.
 *
 * @returns `undefined` for every other row, valid or not: the general reader decides on it.
 */
export function readPlainRow(bytes: Uint8Array): AuditRow | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const match = ROW.exec(text);
  if (match === null) return undefined;
  const [
    ,
    action,
    actorId,
    actorType,
    changeText,
    detailText,
    entityId,
    entityType,
    ip,
    lane,
    nonce,
    prev,
    ...rest
  ] = match as unknown as string[];
  const [result, seq, ts, ua, ws] = rest;
  const row = {
    ws,
    lane: Number(lane),
    seq: Number(seq),
    ts,
    prev,
    nonce,
    actor: { type: actorType, id: actorId },
    action,
    entity: { type: entityType, id: entityId },
    changes: changeText === '' ? [] : readChanges(changeText ?? ''),
    ip,
    ua,
    result,
    detail: detailText === '' ? {} : readDetail(detailText ?? ''),
  };
  const inBounds =
    row.lane <= 65_535 &&
    Number.isSafeInteger(row.seq) &&
    isTimestamp(ts ?? '') &&
    row.changes !== undefined &&
    row.detail !== undefined;
  return inBounds ? (row as AuditRow) : undefined;
}

/** Printable ASCII except `"` and `\`: what canonical JSON writes as it is. */
const PLAIN = '[ !#-[\\]-~]';
const WORD = '[a-z][a-z0-9_.]{0,63}';
const NAME = '[A-Za-z][A-Za-z0-9]{0,31}';
const CHANGE = `\\{"digest":"([0-9a-f]{64})","id":"(${PLAIN}{1,300})","kind":"([A-Za-z]{1,32})","revision":([1-9]\\d{0,15})\\}`;
const DETAIL = `"(${NAME})":"(${PLAIN}{0,512})"`;

const ROW = new RegExp(
  `^\\{"action":"(${WORD})","actor":\\{"id":"(${PLAIN}{1,300})","type":"(${WORD})"\\},` +
    `"changes":\\[((?:${uncaptured(CHANGE)})?(?:,${uncaptured(CHANGE)}){0,99})\\],` +
    `"detail":\\{((?:${uncaptured(DETAIL)})?(?:,${uncaptured(DETAIL)}){0,15})\\},` +
    `"entity":\\{"id":"(${PLAIN}{1,300})","type":"(${WORD})"\\},"ip":"(${PLAIN}{1,64})",` +
    `"lane":"(0|[1-9]\\d{0,4})","nonce":"([0-9a-f]{32})","prev":"([0-9a-f]{64})","result":"(success|failure|denied)",` +
    `"seq":"([1-9]\\d{0,15})","ts":"([^"]{24})","ua":"(${PLAIN}{0,256})","v":1,"ws":"(${PLAIN}{1,64})"\\}$`,
);
const ONE_CHANGE = new RegExp(`(?:^|,)${CHANGE}`, 'y');
const ONE_DETAIL = new RegExp(`(?:^|,)${DETAIL}`, 'y');

function uncaptured(pattern: string): string {
  return pattern.replace(/\((?!\?)/g, '(?:');
}

function readChanges(text: string): RowChange[] | undefined {
  const changes: RowChange[] = [];
  for (const [digest = '', id = '', kind = '', revision = ''] of all(ONE_CHANGE, text)) {
    changes.push({ kind, id, revision: Number(revision), digest });
  }
  return text.startsWith(',') || !changes.every((change) => Number.isSafeInteger(change.revision))
    ? undefined
    : changes;
}

function readDetail(text: string): { [key: string]: string } | undefined {
  const detail: { [key: string]: string } = {};
  let previous = '';
  for (const [key = '', value = ''] of all(ONE_DETAIL, text)) {
    // Sorted, and so without duplicates; two keys that are equal are not in order either.
    if (key <= previous) return undefined;
    detail[key] = value;
    previous = key;
  }
  return text.startsWith(',') ? undefined : detail;
}

function* all(pattern: RegExp, text: string): Generator<string[]> {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) yield match.slice(1);
}
