import fc from 'fast-check';
import type { AuditRow } from '../../core/audit/row.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const word = fc.stringMatching(/^[a-z][a-z0-9_.]{0,20}$/);

/** Well-formed text of any script, control characters included, of at most `maximum` UTF-16 code units. */
const text = (minimum: number, maximum: number) =>
  fc.string({ unit: 'binary', minLength: minimum, maxLength: Math.floor(maximum / 2) });

const subject = fc.record({ type: word, id: text(1, 60) });

/** Any audit row within its bounds. */
export const arbitraryRow: fc.Arbitrary<AuditRow> = fc.record({
  ws: text(1, 64),
  lane: fc.nat(65_535),
  seq: fc.maxSafeNat().map((seq) => Math.max(1, seq)),
  ts: fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }).map(timestamp),
  prev: hex(64),
  nonce: hex(32),
  actor: subject,
  action: word,
  entity: subject,
  changes: fc.array(
    fc.record({
      kind: fc.stringMatching(/^[A-Za-z]{1,32}$/),
      id: text(1, 60),
      revision: fc.maxSafeNat().map((revision) => Math.max(1, revision)),
      digest: hex(64),
    }),
    { maxLength: 5 },
  ),
  ip: text(1, 64),
  ua: text(0, 512),
  result: fc.constantFrom('success', 'failure', 'denied'),
  detail: fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,31}$/), text(0, 100), {
    maxKeys: 16,
    noNullPrototype: true,
  }),
});

/** A row whose fields all have something in them. */
export function sampleRow(): AuditRow {
  return {
    ws: 'ws_1',
    lane: 0,
    seq: 5,
    ts: '2026-03-01T09:00:00.000Z',
    prev: 'a'.repeat(64),
    nonce: 'b'.repeat(32),
    actor: { type: 'api_key', id: 'key_1' },
    action: 'secret.revealed',
    entity: { type: 'secret', id: 'sec_1' },
    changes: [{ kind: 'secret', id: 'sec_1', revision: 3, digest: 'd'.repeat(64) }],
    ip: '203.0.113.7',
    ua: 'curl/8.9.1',
    result: 'denied',
    detail: { Zone: 'z', reason: 'role' },
  };
}
