import { raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { AnomalyStates } from '../../core/anomaly/anomaly-states.ts';
import type { AnomalyParts } from '../../core/anomaly/detect-workspace.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Store } from '../../core/kernel/store.ts';
import { Mortal, type MortalParts } from '../simulation/mortal.ts';
import type { SeededRandom } from '../support/random.ts';
import { SIMULATED_DETECTORS } from './detectors.ts';

/** Everything outside the program that the anomaly detector talks to. */
export interface WatchPorts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly states: AnomalyStates;
}

/** What a process is made from. */
export interface ProcessParts extends Omit<MortalParts, 'network'> {
  readonly random: SeededRandom;
  readonly ports: WatchPorts;
}

/** One instance of the function. When it crashes, nothing in it ever goes on. */
export class WatchProcess {
  readonly parts: AnomalyParts;
  /** What kept a workspace from being looked at. */
  readonly told: string[] = [];
  readonly #mortal: Mortal;

  constructor({ random, ports, ...mortal }: ProcessParts) {
    this.#mortal = new Mortal({ ...mortal, network: random });
    const { clock } = this.#mortal;
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
    return this.#mortal.isDead;
  }

  /** Lets it do something, to its end or to its own. */
  async run(work: () => Promise<void>): Promise<void> {
    await Promise.race([work(), this.#mortal.died]);
  }

  /** A port with each call of it carried out with a fault. */
  #faulty<P extends object>(name: string, port: P): P {
    return new Proxy(port, {
      get: (target, member) => {
        const method: unknown = Reflect.get(target, member);
        if (typeof method !== 'function') return method;
        return (...values: unknown[]) =>
          this.#mortal.perform(`${name}.${String(member)}`, () => method.apply(target, values));
      },
    });
  }
}
