import type { LaneRef } from '../../core/audit/ledger.ts';
import { type AuditRow, decodeRow, GENESIS_HASH, rowHash } from '../../core/audit/row.ts';
import type { MemoryTables } from './memory-ledger.ts';

/**
 * The decoded rows of a lane, once they are found to be one unbroken chain from row 1, stored as what they say, with
 * times that never go back.
 */
export function checkedLane(tables: MemoryTables, lane: LaneRef, start = GENESIS_HASH): AuditRow[] {
  let [prev, ts] = [start, ''];
  return tables.lane(lane).map((stored, index) => {
    const row = decodeRow(stored.bytes);
    const { workspaceId, seq, nonce, hash } = stored;
    expect({ workspaceId, lane: stored.lane, seq, nonce, hash, prev: row.prev }).toEqual({
      workspaceId: row.ws,
      lane: row.lane,
      seq: index + 1,
      nonce: row.nonce,
      hash: rowHash(stored.bytes),
      prev,
    });
    expect(row.seq).toBe(index + 1);
    expect(row.ts >= ts).toBe(true);
    [prev, ts] = [stored.hash, row.ts];
    return row;
  });
}
