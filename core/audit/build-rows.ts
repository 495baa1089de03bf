import { type Change, entityDigest, REMOVED_DIGEST } from '../kernel/entity.ts';
import type { Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { AuditEvent, Origin } from './event.ts';
import type { StoredRow } from './ledger.ts';
import {
  type AuditRow,
  boundedUserAgent,
  decodeRow,
  encodeRow,
  MAX_DETAILS,
  type RowChange,
  RowFormatError,
  rowHash,
} from './row.ts';

/** What the next row of a lane must follow: `seq` 0 and the lane's opening hash for an empty lane. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
  /** The last row's time in epoch milliseconds; 0 for an empty lane. */
  readonly time: number;
}

/**
 * The rows of some events, chained after `head`. Their time is `now`, but never before the head's: clocks of two
 * functions differ, and date ranges are searched by key.
 */
export function buildRows(
  head: Head,
  origin: Origin,
  events: readonly AuditEvent[],
  now: number,
  random: Random,
): { readonly rows: readonly StoredRow[]; readonly head: Head } {
  const time = Math.max(now, head.time);
  let { seq, hash } = head;
  const rows = events.map((event) => {
    seq += 1;
    const nonce = Buffer.from(random.bytes(16)).toString('hex');
    const row: AuditRow = {
      ws: origin.workspaceId,
      lane: origin.lane,
      seq,
      ts: timestamp(time),
      prev: hash,
      nonce,
      actor: origin.actor,
      action: event.action,
      entity: event.entity,
      changes: (event.changes ?? []).flatMap(rowChange),
      ip: origin.ip,
      ua: boundedUserAgent(origin.userAgent),
      result: event.result,
      detail: detailOf(event, origin),
    };
    const bytes = encodeRow(row);
    hash = rowHash(bytes);
    return { workspaceId: origin.workspaceId, lane: origin.lane, seq, bytes, hash, nonce };
  });
  return { rows, head: { seq, hash, time } };
}

/** With the country where the client was, unless the event has a member of that name or no room for one more. */
function detailOf({ detail = {} }: AuditEvent, { country }: Origin): AuditRow['detail'] {
  const isFull = Object.keys(detail).length >= MAX_DETAILS;
  return country === undefined || isFull ? detail : { country, ...detail };
}

function rowChange(change: Change): RowChange[] {
  const { kind, id, revision } = change.entity;
  switch (change.op) {
    case 'put':
      return [{ kind, id, revision, digest: entityDigest(change.entity) }];
    case 'remove':
      return [{ kind, id, revision: revision + 1, digest: REMOVED_DIGEST }];
    case 'check':
      return [];
  }
}

/** The head of a lane whose last row is `row`: of its bytes, whatever they are. The verifier is who judges them. */
export function headAfter(row: StoredRow): Head {
  return { seq: row.seq, hash: rowHash(row.bytes), time: Date.parse(readRow(row)?.ts ?? timestamp(0)) };
}

/**
 * A stored row's content, or `undefined` if somebody spoiled its bytes. Recording goes on after a spoiled row: whoever
 * could stop the trail by spoiling it would have won more than by any forgery.
 */
export function readRow(row: StoredRow): AuditRow | undefined {
  try {
    return decodeRow(row.bytes);
  } catch (error) {
    if (error instanceof RowFormatError) return undefined;
    throw error;
  }
}
