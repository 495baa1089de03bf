import type { SeededRandom } from '../support/random.ts';

/**
 * How a call of a port goes: well; lost before it took effect, or after; lost with its effect coming later; refused
 * because others are at work or the service is throttled; well but slow; or as the last thing its caller does, with
 * or without effect.
 */
export const FAULTS = [
  'none',
  'before',
  'after',
  'late',
  'contended',
  'slow',
  'crash before',
  'crash after',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Crashes come seldom: most of a history is about those who live on. */
const DRAWN: readonly Fault[] = [
  ...(['before', 'after', 'late', 'contended', 'slow'] as const).flatMap((fault) => [fault, fault, fault]),
  'crash before',
  'crash after',
];

/** Share of calls that go wrong, in percent; one is chosen for each history. */
const RATES = [0, 2, 5, 10, 25, 50] as const;

/** Calls deep in a request are reached where all before them went well, so they go wrong at least this often in percent. */
const DEEP: ReadonlyMap<string, number> = new Map([
  ['bookkeeping.addSecrets', 50],
  ['keys.decrypt', 5],
  ['store.listChildren', 30],
]);

/** How often each call met each fault: `calls.get('ledger.append')?.get('after')`. */
export type Coverage = Map<string, Map<Fault, number>>;

/** Draws the fate of every call of a history. */
export class FaultPlan {
  readonly coverage: Coverage = new Map();
  enabled = true;
  /** How many calls went wrong so far. */
  met = 0;
  readonly #random: SeededRandom;
  readonly #rate: number;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#rate = RATES[random.below(RATES.length)] ?? 0;
  }

  draw(call: string): Fault {
    const rate = this.#rate === 0 ? 0 : Math.max(this.#rate, DEEP.get(call) ?? 0);
    const faulty = this.enabled && this.#random.below(100) < rate;
    const fault = faulty ? (DRAWN[this.#random.below(DRAWN.length)] ?? 'none') : 'none';
    if (fault !== 'none') this.met += 1;
    count(this.coverage, call, fault, 1);
    return fault;
  }
}

function count(coverage: Coverage, call: string, fault: Fault, times: number): void {
  const faults = coverage.get(call) ?? new Map<Fault, number>();
  faults.set(fault, (faults.get(fault) ?? 0) + times);
  coverage.set(call, faults);
}

export function addCoverage(total: Coverage, more: Coverage): void {
  for (const [call, faults] of more) for (const [fault, times] of faults) count(total, call, fault, times);
}

/** Every pair of call and fault that was never seen, as `call: fault`. */
export function uncovered(coverage: Coverage): string[] {
  return [...coverage].flatMap(([call, faults]) =>
    FAULTS.filter((fault) => !faults.has(fault)).map((fault) => `${call}: ${fault}`),
  );
}

/** A table of calls and faults, for people. */
export function coverageTable(coverage: Coverage): string {
  const header = ['', ...FAULTS];
  const rows = [...coverage]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([call, faults]) => [call, ...FAULTS.map((fault) => String(faults.get(fault) ?? 0))]);
  const lines = [header, ...rows].map(([call = '', ...cells]) =>
    [call.padEnd(26), ...cells.map((cell) => cell.padStart(13))].join(''),
  );
  return lines.join('\n');
}
