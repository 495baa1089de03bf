import fc from 'fast-check';
import { WINDOW_MS } from '../../../core/reconciliation/allowance.ts';
import { callsWithoutRow } from '../../../core/reconciliation/match-calls.ts';

const call = (at: number) => ({ at });
const row = (from: number, calls = 1) => ({ from, calls });
const left = (calls: readonly number[], rows: readonly { from: number; calls: number }[]) =>
  callsWithoutRow(calls.map(call), rows).map(({ at }) => at);

describe('each call needs a row of its own', () => {
  it.each([
    ['one and one', [10], [row(0)], []],
    ['a second call in the same second', [10, 10], [row(0)], [10]],
    ['a row that comes too late', [10], [row(11)], [10]],
    ['a row at the end of its window', [WINDOW_MS], [row(0)], []],
    ['a row whose window is over', [WINDOW_MS + 1], [row(0)], [WINDOW_MS + 1]],
    ['no rows', [1, 2], [], [1, 2]],
    ['rows without calls', [], [row(0), row(1)], []],
    ['a row for two calls', [10, 11, 12], [row(0, 2)], [12]],
    ['a row for none', [10], [row(0, 0)], [10]],
    ['a call that only the later row can explain', [10, WINDOW_MS + 5], [row(0), row(9)], []],
    ['an old row that must not keep a newer one from its call', [WINDOW_MS + 5], [row(0), row(9)], []],
  ])('%s', (_, calls, rows, expected) => {
    expect(left(calls, rows)).toEqual(expected);
  });
});

/** The most calls that can be explained, found by augmenting paths: another way to the same number. */
function mostExplained(calls: readonly number[], rows: readonly { from: number; calls: number }[]): number {
  const slots = rows.flatMap(({ from, calls: count }) => Array.from({ length: count }, () => from));
  const takenBy = new Map<number, number>();
  const assign = (index: number, seen: Set<number>): boolean =>
    slots.some((from, slot) => {
      const at = calls[index] ?? 0;
      if (seen.has(slot) || at < from || at > from + WINDOW_MS) return false;
      seen.add(slot);
      const holder = takenBy.get(slot);
      if (holder !== undefined && !assign(holder, seen)) return false;
      takenBy.set(slot, index);
      return true;
    });
  return calls.filter((_, index) => assign(index, new Set())).length;
}

it('leaves no more calls over than must be', () => {
  const time = fc.integer({ min: 0, max: 6 * WINDOW_MS });
  const rows = fc.array(fc.record({ from: time, calls: fc.integer({ min: 0, max: 3 }) }), { maxLength: 12 });
  const calls = fc.array(time, { maxLength: 16 }).map((times) => times.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(calls, rows, (times, allowances) => {
      const explained = times.length - left(times, allowances).length;
      expect(explained).toBe(mostExplained(times, allowances));
    }),
    { numRuns: 500 },
  );
});
