import type { Ledger } from '../../core/audit/ledger.ts';
import { type AuditTrail, createAuditTrail } from '../../core/audit/trail.ts';
import type { KeyService } from '../../core/crypto/key-service.ts';
import type { DeploymentKeys } from '../../core/encryption-keys/wrapping-key.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import type { Store } from '../../core/kernel/store.ts';
import { Mortal, type MortalParts } from '../simulation/mortal.ts';
import type { Fault } from '../simulation-log/faults.ts';
import type { SeededRandom } from '../support/random.ts';

/** Everything outside the program that a function talks to. */
export interface KeyPorts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly keys: KeyService;
}

/** What a process is made from. */
export interface ProcessParts extends Omit<MortalParts, 'network'> {
  readonly random: SeededRandom;
  readonly ports: KeyPorts;
  /** As its environment had it when it was started. */
  readonly deploymentKeys: DeploymentKeys;
}

/** What it is doing at present. */
interface Task {
  /** When the platform ends it, in epoch milliseconds. */
  readonly deadline: number;
  /** Calls of it that did not go as they should. */
  faults: number;
}

/** One instance of a function, which does one thing at a time. When it dies, nothing in it ever goes on. */
export class KeysProcess {
  readonly ports: KeyPorts;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly deploymentKeys: DeploymentKeys;
  readonly #mortal: Mortal;
  #task: Task | undefined;

  constructor({ random, ports, deploymentKeys, ...mortal }: ProcessParts) {
    const draw = (call: string): Fault => this.#draw(call, mortal);
    this.#mortal = new Mortal({ ...mortal, draw, network: random });
    this.clock = this.#mortal.clock;
    this.random = random;
    this.deploymentKeys = deploymentKeys;
    this.ports = {
      ledger: this.faulty('ledger', ports.ledger),
      store: this.faulty('store', ports.store),
      keys: this.faulty('keys', ports.keys),
    };
    this.trail = createAuditTrail({ ledger: this.ports.ledger, clock: this.clock, random });
  }

  get isDead(): boolean {
    return this.#mortal.isDead;
  }

  /** Lets it do something, to its end or to its own. Gives how many calls went wrong. */
  async run(limitMs: number, now: number, work: () => Promise<void>): Promise<number> {
    const task: Task = { deadline: now + limitMs, faults: 0 };
    this.#task = task;
    await Promise.race([work(), this.#mortal.died]);
    return task.faults;
  }

  /** A port with each call of it carried out with a fault. */
  faulty<P extends object>(name: string, port: P): P {
    return new Proxy(port, {
      get: (target, member) => {
        const method: unknown = Reflect.get(target, member);
        if (typeof method !== 'function') return method;
        return (...values: unknown[]) =>
          this.#mortal.perform(`${name}.${String(member)}`, () => method.apply(target, values));
      },
    });
  }

  /** Whoever takes longer than the platform allows is ended at its next call. */
  #draw(call: string, { draw, scheduler }: Omit<MortalParts, 'network'>): Fault {
    const task = this.#task;
    const isLate = task !== undefined && scheduler.now > task.deadline;
    const fault = isLate ? 'crash before' : (draw(call) as Fault);
    if (fault !== 'none' && task !== undefined) task.faults += 1;
    return fault;
  }
}
