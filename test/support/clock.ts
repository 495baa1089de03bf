import type { Clock } from '../../core/kernel/ports.ts';

/** A clock that stands still but for what a test does with it: `sleep` resolves at once and moves it on. */
export class FakeClock implements Clock {
  /** Every wait that was asked for, in milliseconds. */
  readonly sleeps: number[] = [];
  #now: number;

  constructor(start = Date.parse('2026-01-01T00:00:00.000Z')) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.sleeps.push(milliseconds);
    this.#now += milliseconds;
  }

  /** Moves the clock; back, too: the clocks of two functions differ. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
