import { SeededRandom } from '../../../test/support/random.ts';

/** What happens in made-up months, decided by a seed alone. */
export class Chance {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** From 0 to below 1. */
  uniform(): number {
    return this.#random.uint32() / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + this.uniform() * (high - low);
  }

  /** A whole number, both ends included. */
  integer(low: number, high: number): number {
    return low + this.#random.below(high - low + 1);
  }

  happens(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.#random.below(items.length)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  }

  /** Some of the items, each at most once. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    const chosen: T[] = [];
    while (chosen.length < count && left.length > 0)
      chosen.push(...left.splice(this.#random.below(left.length), 1));
    return chosen;
  }

  /** Normally distributed (Box and Muller 1958). */
  normal(mean: number, deviation: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** How often something happens that happens `mean` times on average (Knuth's way; normal above 30). */
  poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(this.normal(mean, Math.sqrt(mean))));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count += 1;
    return count;
  }

  /** 0 and up: the first ones far more often. */
  favourite<T>(items: readonly T[]): T {
    const item = items[Math.floor(items.length * this.uniform() ** 2.5)];
    if (item === undefined) throw new RangeError('There is nothing to pick from.');
    return item;
  }

  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.#random.uint32().toString(16).padStart(8, '0');
    return text.slice(0, length);
  }

  /** An id of the vault, such as `sec_…`. */
  id(prefix: string): string {
    return `${prefix}_${this.hex(32)}`;
  }

  uuid(): string {
    const hex = this.hex(32);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** A public IPv4 address. */
  address(): string {
    return `${this.integer(23, 99)}.${this.integer(0, 255)}.${this.integer(0, 255)}.${this.integer(1, 254)}`;
  }
}
