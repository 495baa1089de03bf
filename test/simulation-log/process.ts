import type { ArchiveParts } from '../../core/archive/archive-workspace.ts';
import type { LanePolicy } from '../../core/audit/lane-choice.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alerts } from '../../core/detection/alert.ts';
import { unavailable } from '../../core/kernel/errors.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { allKinds } from '../../core/kinds.ts';
import type { RetentionParts } from '../../core/retention/apply-retention.ts';
import type { SealParts } from '../../core/seal/parts.ts';
import type { VerificationParts } from '../../core/verification/verification-parts.ts';
import { AUDIT_RETENTION_DAYS } from '../../core/workspaces/workspace.ts';
import type { Scheduler } from '../simulation/scheduler.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Fault } from './faults.ts';
import { type LogPorts, type Perform, withFaults } from './ports.ts';

export const LOG_NAME = 'log.example';

/** What a process is made from. */
export interface ProcessParts {
  readonly scheduler: Scheduler;
  readonly draw: (call: string) => Fault;
  /** Chance for the program: ids, nonces, waits. */
  readonly random: SeededRandom;
  /** Chance for the network between the program and its ports. */
  readonly network: SeededRandom;
  readonly ports: LogPorts;
  /** Milliseconds by which its clock is ahead, if not behind. */
  readonly skew: number;
  readonly lanePolicy: LanePolicy;
  readonly alerts: Alerts;
}

export type JobParts = SealParts & ArchiveParts & VerificationParts;

export type Outcome<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'crashed' };

const MAX_DELAY_MS = 20_000;
const NEVER = new Promise<never>(() => {});
/** By so much the clock is ahead that retention is told: rows of the day before yesterday are old enough for it. */
const RETENTION_AHEAD_MS = (AUDIT_RETENTION_DAYS.least - 1) * DAY_MS;

/** One instance of a function, with an audit trail that has a head cache of its own. When it crashes, nothing in it ever goes on. */
export class Process {
  readonly parts: JobParts;
  readonly #parts: ProcessParts;
  readonly #ports: LogPorts;
  readonly #crashed: Promise<Outcome<never>>;
  #isDead = false;
  #die: () => void = () => {};

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.#crashed = new Promise((resolve) => {
      this.#die = () => resolve({ status: 'crashed' });
    });
    const { scheduler, random, lanePolicy, alerts } = parts;
    this.#ports = withFaults(parts.ports, this.#perform);
    const { ledger, archive, signer, seals } = this.#ports;
    const clock: Clock = {
      now: () => scheduler.now + parts.skew,
      sleep: async (milliseconds) => {
        await scheduler.turn(milliseconds);
        if (this.#isDead) await NEVER;
      },
    };
    this.parts = {
      ...this.#ports,
      trail: createAuditTrail({ ledger, clock, random, lanePolicy }),
      log: { archive, signer, seals, logName: LOG_NAME },
      logName: LOG_NAME,
      minRetentionDays: 2_557,
      kinds: allKinds,
      alerts,
      clock,
      random,
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get retentionParts(): RetentionParts {
    const { clock } = this.parts;
    const ahead = { ...clock, now: () => clock.now() + RETENTION_AHEAD_MS };
    return { ...this.parts, clock: ahead, remover: this.#ports.remover };
  }

  /** Lets it do something, and tells what came of it. */
  run<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    const ended = work().then(
      (value): Outcome<T> => ({ status: 'done', value }),
      (error: unknown): Outcome<T> => ({ status: 'failed', error }),
    );
    return Promise.race([ended, this.#crashed]);
  }

  readonly #perform: Perform = async (call, work) => {
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
        return work();
      case 'slow':
        await scheduler.turn(network.below(MAX_DELAY_MS));
        return this.#isDead ? NEVER : work();
      case 'before':
        throw lost();
      case 'after':
        await work();
        throw lost();
      case 'late':
        scheduler
          .turn(network.below(MAX_DELAY_MS))
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
  };

  #crash(): Promise<never> {
    this.#isDead = true;
    this.#die();
    return NEVER;
  }
}
