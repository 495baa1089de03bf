import { type Allowance, WINDOW_MS } from './allowance.ts';

interface Timed {
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * The calls on one value that no allowance is left for. Each call uses up the earliest allowance that covers it; as all
 * windows are equally long, no other choice would leave fewer calls over.
 *
 * @param calls by rising time.
 */
export function callsWithoutRow<C extends Timed>(
  calls: readonly C[],
  allowances: readonly Pick<Allowance, 'from' | 'calls'>[],
): C[] {
  const windows = allowances.toSorted((a, b) => a.from - b.from);
  let next = 0;
  let used = 0;
  return calls.filter(({ at }) => {
    for (let window = windows[next]; window !== undefined; window = windows[next]) {
      if (window.from > at) return true;
      const isOver = window.from + WINDOW_MS < at;
      if (!isOver && used < window.calls) {
        used += 1;
        return false;
      }
      next += 1;
      used = 0;
    }
    return true;
  });
}
