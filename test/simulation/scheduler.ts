import type { SeededRandom } from '../support/random.ts';
import { isWebCryptoBusy, webCryptoSettled } from './web-crypto.ts';

interface Waiting {
  readonly notBefore: number;
  readonly resume: () => void;
}

/** How much simulated time passes between two steps, at most, in milliseconds. */
const STEP_MS = 20;

/**
 * Decides who acts next. Everything that happens outside a client's own head waits for its turn here, and turns are
 * given one at a time, in an order that depends on the seed alone. Time is simulated too: it moves on a little with
 * each step, and leaps to whatever is due next when nobody else is ready.
 */
export class Scheduler {
  /** Counts the turns given so far: the order in which things happened. */
  step = 0;
  /** Epoch milliseconds. */
  now: number;
  readonly #random: SeededRandom;
  #waiting: Waiting[] = [];

  constructor(random: SeededRandom, start: number) {
    this.#random = random;
    this.now = start;
  }

  /** Resolves when it is the caller's turn, after at least `delay` milliseconds of simulated time. */
  turn(delay = 0): Promise<void> {
    return new Promise((resume) => {
      this.#waiting.push({ notBefore: this.now + delay, resume });
    });
  }

  /** Gives turns until nobody waits for one any more. */
  async run(): Promise<void> {
    await settled();
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      this.step += 1;
      next.resume();
      await settled();
    }
  }

  #takeNext(): Waiting | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.now += this.#random.below(STEP_MS);
    const due = this.#waiting.filter(({ notBefore }) => notBefore <= this.now);
    const chosen = due[this.#random.below(due.length)] ?? this.#earliest();
    this.now = Math.max(this.now, chosen.notBefore);
    this.#waiting = this.#waiting.filter((one) => one !== chosen);
    return chosen;
  }

  #earliest(): Waiting {
    return this.#waiting.reduce((first, one) => (one.notBefore < first.notBefore ? one : first));
  }
}

/** Resolves once all that could run has run: the ticks of Node come after the last of the promise callbacks. */
async function settled(): Promise<void> {
  await tick();
  while (isWebCryptoBusy()) {
    await webCryptoSettled();
    await tick();
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
