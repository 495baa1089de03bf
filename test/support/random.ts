import type { Random } from '../../core/kernel/ports.ts';

/**
 * Pseudo-random numbers that depend on the seed alone, so that a failure replays from it. The generator is sfc32 of
 * PractRand: 128 bits of state, so that the streams of two seeds do not overlap. Never for anything secret.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c = 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    for (let warmUp = 0; warmUp < 15; warmUp += 1) this.uint32();
  }

  /** A whole number of 32 bits. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0;
    return result;
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * bound);
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.uint32() >>> 24);
  }
}
