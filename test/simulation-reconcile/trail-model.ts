import type { KeyCall } from '../../core/reconciliation/key-calls.ts';
import type { CallLog } from '../support/call-log.ts';
import type { SeededRandom } from '../support/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * Delivers records as CloudTrail does: none is lost, but each comes minutes later, some hours later, some twice, in no
 * order, and many or few to a file.
 */
export function deliverAll(log: CallLog, calls: readonly KeyCall[], random: SeededRandom): void {
  const files = new Map<number, KeyCall[]>();
  for (const call of calls) {
    const copies = random.below(10) === 0 ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delay = random.below(12) === 0 ? random.below(20 * HOUR) : random.below(15 * MINUTE);
      const slot = Math.ceil((call.at + 1_000 + delay) / (5 * MINUTE)) * 5 * MINUTE;
      const deliveredAt = slot + random.below(3);
      files.set(deliveredAt, [...(files.get(deliveredAt) ?? []), call]);
    }
  }
  for (const [deliveredAt, records] of files)
    log.deliver(
      records.toSorted(() => random.below(3) - 1),
      deliveredAt,
    );
}
