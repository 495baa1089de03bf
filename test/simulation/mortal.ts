import { unavailable } from '../../core/kernel/errors.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import type { Fault as LogFault } from '../simulation-log/faults.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Fault } from './faults.ts';
import type { Scheduler } from './scheduler.ts';

/** What a process depends on to live, to call and to die. */
export interface MortalParts {
  readonly scheduler: Scheduler;
  /** The fate of a call. */
  readonly draw: (call: string) => Fault | LogFault;
  /** Chance for the network between the program and its ports. */
  readonly network: SeededRandom;
  /** Milliseconds by which its clock is ahead, if not behind. */
  readonly skew: number;
}

const MAX_DELAY_MS = 20_000;
const NEVER = new Promise<never>(() => {});

/** A process that calls its ports over a network with faults. When it dies, nothing in it ever goes on. */
export class Mortal {
  /** Resolves when it dies. */
  readonly died: Promise<void>;
  readonly clock: Clock;
  readonly #parts: MortalParts;
  #isDead = false;
  #die: () => void = () => {};

  constructor(parts: MortalParts) {
    this.#parts = parts;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
    const { scheduler, skew } = parts;
    this.clock = {
      now: () => scheduler.now + skew,
      sleep: async (milliseconds) => {
        await scheduler.turn(milliseconds);
        if (this.#isDead) await NEVER;
      },
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Carries out one call of a port with the fault drawn for it. `contended` is what a contended call answers. */
  readonly perform = async <T>(call: string, work: () => Promise<T>, contended?: T): Promise<T> => {
    const { scheduler, draw, network } = this.#parts;
    await scheduler.turn();
    if (this.#isDead) {
      // It was on its way when the process died: it may arrive or not, and nobody waits for the answer.
      if (network.below(2) === 0) work().catch(() => undefined);
      return NEVER;
    }
    const lost = (): Error => unavailable(`${call} was lost.`);
    switch (draw(call)) {
      case 'none':
        return this.#answered(work());
      case 'slow':
        await scheduler.turn(network.below(MAX_DELAY_MS));
        return this.#isDead ? NEVER : this.#answered(work());
      case 'before':
        throw lost();
      case 'after':
        await this.#answered(work());
        throw lost();
      case 'late':
        scheduler
          .turn(network.below(MAX_DELAY_MS))
          .then(work)
          .catch(() => undefined);
        throw lost();
      case 'twice':
        await work();
        return this.#answered(work());
      case 'contended':
        if (contended !== undefined) return contended;
        throw unavailable(`${call} was throttled.`);
      case 'crash before':
        return this.#crash();
      case 'crash after':
        await work();
        return this.#crash();
    }
  };

  /** An answer reaches nobody who died while waiting for it. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } finally {
      if (this.#isDead) await NEVER;
    }
  }

  #crash(): Promise<never> {
    this.#isDead = true;
    this.#die();
    return NEVER;
  }
}
