import type { Clock } from '../../core/kernel/ports.ts';

/**
 * Time in which many writers act at once: it moves on only when all of them wait, and then to the end of the shortest
 * wait. A run depends on nothing but its code, and takes no longer than its work.
 */
export class VirtualTime implements Clock {
  #now = Date.parse('2026-01-01T00:00:00.000Z');
  readonly #waits: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      this.#waits.push({ until: this.#now + milliseconds, wake });
    });
  }

  /** Runs until this work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    work.then(settle, settle);
    for (;;) {
      // All that follows from the last wait happens before the next one ends.
      await new Promise(setImmediate);
      if (settled) return work;
      const next = this.#waits.toSorted((a, b) => a.until - b.until)[0];
      if (next === undefined) throw new Error('All wait, and nobody for the time.');
      this.#waits.splice(this.#waits.indexOf(next), 1);
      this.#now = next.until;
      next.wake();
    }
  }
}
