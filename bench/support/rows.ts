import { buildRows, type Head } from '../../core/audit/build-rows.ts';
import type { AuditEvent, Origin } from '../../core/audit/event.ts';
import type { LaneRef, Ledger, StoredRow } from '../../core/audit/ledger.ts';
import { GENESIS_HASH } from '../../core/audit/row.ts';
import { systemRandom } from '../../lambdas/shared/system.ts';

export const WORKSPACE = 'ws_00112233445566778899aabbccddeeff';

export const origin: Origin = {
  workspaceId: WORKSPACE,
  lane: 0,
  actor: { type: 'api_key', id: 'key_ffeeddccbbaa99887766554433221100' },
  ip: '203.0.113.7',
  userAgent: 'lockzero-sdk/1.0 node/24.0.0 linux/arm64',
};

/** The most frequent event: a secret is revealed. */
export const revealed: AuditEvent = {
  action: 'secret.revealed',
  entity: { type: 'secret', id: 'sec_0123456789abcdef0123456789abcdef' },
  result: 'success',
  detail: { version: '3' },
};

const START: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };

/** A chain of `count` rows after a head, as reveals and changes leave it: every fourth row is a change. */
export function chain(count: number, after: Head = START): StoredRow[] {
  const changed: AuditEvent = { ...revealed, action: 'secret.value_updated' };
  const rows: StoredRow[] = [];
  let head = after;
  for (let index = 0; index < count; index += 1) {
    const built = buildRows(
      head,
      origin,
      [index % 4 === 0 ? changed : revealed],
      1_772_000_000_000 + after.seq + index,
      systemRandom,
    );
    rows.push(...built.rows);
    head = built.head;
  }
  return rows;
}

/** A ledger that only reads consecutive rows in memory; a page is what one answer of DynamoDB holds (1 MB). */
export function readOnlyLedger(rows: readonly StoredRow[]): Pick<Ledger, 'rows'> {
  const first = rows[0]?.seq ?? 1;
  return {
    rows: async (_lane: LaneRef, from: number) => rows.slice(from - first, from - first + 1_200),
  };
}
