import type { ArchiveParts } from '../../core/archive/archive-workspace.ts';
import type { LanePolicy } from '../../core/audit/lane-choice.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alerts } from '../../core/detection/alert.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { allKinds } from '../../core/kinds.ts';
import type { RetentionParts } from '../../core/retention/apply-retention.ts';
import type { SealParts } from '../../core/seal/parts.ts';
import type { VerificationParts } from '../../core/verification/verification-parts.ts';
import { AUDIT_RETENTION_DAYS } from '../../core/workspaces/workspace.ts';
import { Mortal, type MortalParts } from '../simulation/mortal.ts';
import type { SeededRandom } from '../support/random.ts';
import { type LogPorts, withFaults } from './ports.ts';

export const LOG_NAME = 'log.example';

/** What a process is made from. */
export interface ProcessParts extends MortalParts {
  /** Chance for the program: ids, nonces, waits. */
  readonly random: SeededRandom;
  readonly ports: LogPorts;
  readonly lanePolicy: LanePolicy;
  readonly alerts: Alerts;
}

export type JobParts = SealParts & ArchiveParts & VerificationParts;

export type Outcome<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'crashed' };

/** By so much the clock is ahead that retention is told: rows of the day before yesterday are old enough for it. */
const RETENTION_AHEAD_MS = (AUDIT_RETENTION_DAYS.least - 1) * DAY_MS;

/** One instance of a function, with an audit trail that has a head cache of its own. When it crashes, nothing in it ever goes on. */
export class Process {
  readonly parts: JobParts;
  readonly #mortal: Mortal;
  readonly #ports: LogPorts;

  constructor(parts: ProcessParts) {
    this.#mortal = new Mortal(parts);
    const { random, lanePolicy, alerts } = parts;
    this.#ports = withFaults(parts.ports, this.#mortal.perform);
    const { ledger, archive, signer, seals } = this.#ports;
    const { clock } = this.#mortal;
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
    return this.#mortal.isDead;
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
    const crashed = this.#mortal.died.then((): Outcome<T> => ({ status: 'crashed' }));
    return Promise.race([ended, crashed]);
  }
}
