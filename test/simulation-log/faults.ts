import type { SeededRandom } from '../support/random.ts';

/**
 * How a call of a port goes: well; lost before it took effect, or after; lost with its effect coming later; carried out
 * twice with the answer of the second time, as when a client repeats what it had no answer to; well but slow; or as the
 * last thing its caller does, without effect or with it.
 */
export const FAULTS = [
  'none',
  'before',
  'after',
  'late',
  'twice',
  'slow',
  'crash before',
  'crash after',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Decides how each call goes. */
export interface Faults {
  readonly draw: (call: string) => Fault;
}

/** Crashes come seldom: most of a history is about those who live on. */
const DRAWN: readonly Fault[] = [
  ...(['before', 'after', 'late', 'twice', 'slow'] as const).flatMap((fault) => [fault, fault, fault]),
  'crash before',
  'crash after',
];

/** Share of calls that go wrong, in percent; one is chosen for each history. */
const RATES = [0, 2, 5, 15, 30] as const;

/** Every pair of a call and a fault that was met, as `ledger.append: late`. */
export type Coverage = Set<string>;

/** Faults by chance. */
export class RandomFaults implements Faults {
  readonly coverage: Coverage;
  readonly #random: SeededRandom;
  readonly #rate: number;

  constructor(random: SeededRandom, coverage: Coverage) {
    this.#random = random;
    this.#rate = RATES[random.below(RATES.length)] ?? 0;
    this.coverage = coverage;
  }

  draw(call: string): Fault {
    const isFaulty = this.#random.below(100) < this.#rate;
    const fault = isFaulty ? (DRAWN[this.#random.below(DRAWN.length)] ?? 'none') : 'none';
    this.coverage.add(`${call}: ${fault}`);
    return fault;
  }
}

/** One fault, at the call of a number. */
export class SingleFault implements Faults {
  /** The names of all calls so far. */
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #fault: Fault;

  /** @param at counted from 1; 0 for none. */
  constructor(at = 0, fault: Fault = 'none') {
    this.#at = at;
    this.#fault = fault;
  }

  get isMet(): boolean {
    return this.#at > 0 && this.calls.length >= this.#at;
  }

  draw(call: string): Fault {
    this.calls.push(call);
    return this.calls.length === this.#at ? this.#fault : 'none';
  }
}

/** Every pair of a call that was ever made and a fault that it never met. */
export function neverMet(coverage: Coverage): string[] {
  const calls = new Set([...coverage].map((pair) => pair.split(': ')[0] ?? ''));
  return [...calls]
    .flatMap((call) => FAULTS.map((fault) => `${call}: ${fault}`))
    .filter((pair) => !coverage.has(pair));
}
