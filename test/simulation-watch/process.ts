import { raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { AnomalyStates } from '../../core/anomaly/anomaly-states.ts';
import type { AnomalyParts } from '../../core/anomaly/detect-workspace.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import { unavailable } from '../../core/kernel/errors.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import type { Store } from '../../core/kernel/store.ts';
import type { Scheduler } from '../simulation/scheduler.ts';
import type { Fault } from '../simulation-log/faults.ts';
import type { SeededRandom } from '../support/random.ts';
import { SIMULATED_DETECTORS } from './detectors.ts';

/** Everything outside the program that the anomaly detector talks to. */
export interface WatchPorts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly states: AnomalyStates;
}

/** What a process is made from. */
export interface ProcessParts {
  readonly scheduler: Scheduler;
  readonly draw: (call: string) => Fault;
  readonly random: SeededRandom;
  readonly ports: WatchPorts;
  /** Milliseconds by which its clock is ahead, if not behind. */
  readonly skew: number;
}

const MAX_DELAY_MS = 20_000;
const NEVER = new Promise<never>(() => {});

/** One instance of the function. When it crashes, nothing in it ever goes on. */
export class WatchProcess {
  readonly parts: AnomalyParts;
  /** What kept a workspace from being looked at. */
  readonly told: string[] = [];
  readonly #made: ProcessParts;
  readonly #crashed: Promise<void>;
  #isDead = false;
  #die: () => void = () => {};

  constructor(made: ProcessParts) {
    this.#made = made;
    this.#crashed = new Promise((resolve) => {
      this.#die = resolve;
    });
    const { scheduler, random, ports, skew } = made;
    const clock: Clock = {
      now: () => scheduler.now + skew,
      sleep: async (milliseconds) => {
        await scheduler.turn(milliseconds);
        if (this.#isDead) await NEVER;
      },
    };
    const ledger = this.#faulty('ledger', ports.ledger);
    const store = this.#faulty('store', ports.store);
    const trail = createAuditTrail({ ledger, clock, random });
    this.parts = {
      ledger,
      store,
      states: this.#faulty('states', ports.states),
      locations: { of: () => undefined },
      clock,
      random,
      detectors: SIMULATED_DETECTORS,
      record: (alert) => raiseAlert({ store, trail, clock }, alert, 'anomaly'),
      alerts: { raise: async ({ kind }) => void this.told.push(kind) },
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Lets it do something, to its end or to its own. */
  async run(work: () => Promise<void>): Promise<void> {
    await Promise.race([work(), this.#crashed]);
  }

  /** A port with each call of it carried out with a fault. */
  #faulty<P extends object>(name: string, port: P): P {
    return new Proxy(port, {
      get: (target, member) => {
        const method: unknown = Reflect.get(target, member);
        if (typeof method !== 'function') return method;
        return (...values: unknown[]) =>
          this.#perform(`${name}.${String(member)}`, () => method.apply(target, values));
      },
    });
  }

  async #perform<T>(call: string, work: () => Promise<T>): Promise<T> {
    const { scheduler, draw, random } = this.#made;
    await scheduler.turn();
    if (this.#isDead) {
      // It was on its way when the process died: it may arrive or not, and nobody waits for the answer.
      if (random.below(2) === 0) work().catch(() => undefined);
      return NEVER;
    }
    const lost = (): Error => unavailable(`${call} was lost.`);
    switch (draw(call)) {
      case 'none':
        return work();
      case 'slow':
        await scheduler.turn(random.below(MAX_DELAY_MS));
        return this.#isDead ? NEVER : work();
      case 'before':
        throw lost();
      case 'after':
        await work();
        if (this.#isDead) return NEVER;
        throw lost();
      case 'late':
        scheduler
          .turn(random.below(MAX_DELAY_MS))
          .then(work)
          .catch(() => undefined);
        throw lost();
      case 'twice':
        await work();
        return work();
      case 'crash before':
        return this.#crash();
      case 'crash after':
        await work();
        return this.#crash();
    }
  }

  #crash(): Promise<never> {
    this.#isDead = true;
    this.#die();
    return NEVER;
  }
}
