import { detectDeployment } from '../../core/anomaly/detect-deployment.ts';
import type { AnomalyParts } from '../../core/anomaly/detect-workspace.ts';
import { detectionSettingsKind } from '../../core/anomaly/settings.ts';
import { RefusedChanges } from '../../core/audit/append.ts';
import { type AuditEvent, type Origin, PRINCIPAL_LANE } from '../../core/audit/event.ts';
import type { LanePolicy } from '../../core/audit/lane-choice.ts';
import { strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import { type AuditTrail, createAuditTrail } from '../../core/audit/trail.ts';
import { create, update } from '../../core/kernel/entity.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import type { Faults } from '../simulation-log/faults.ts';
import { MemoryAnomalyStates } from '../support/memory-anomaly-states.ts';
import { MemoryTables } from '../support/memory-ledger.ts';
import { SeededRandom } from '../support/random.ts';
import { WatchProcess } from './process.ts';

export const WORKSPACE = `ws_${'5'.repeat(32)}`;
export const ACTORS = ['key_1', 'key_2', 'key_3'] as const;

export const ROLES = ['watch 1', 'watch 2'] as const;
export type Role = (typeof ROLES)[number];

/** A deliberately altered variant of the program, seen from its ports. */
export type Alter = (parts: AnomalyParts) => AnomalyParts;

const START = Date.parse('2026-01-01T09:01:00.000Z');
/** Clocks are off by at most so much, either way. */
export const MAX_SKEW_MS = 2_000;
/** One writer opens more lanes as soon as anybody is in its way. */
const EAGER: LanePolicy = { contendedAfter: 1, extraLanes: 2 };
const STREAMS = 4_096;

/** One deployment: its stores, what writes rows, and the functions that come and go. */
export class WatchWorld {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly tables = new MemoryTables();
  readonly states = new MemoryAnomalyStates(this.tables);
  /** Marks that rows were given, each with how many have it. */
  readonly marks = new Map<string, number>();
  /** The keys that are in use. */
  readonly keys: string[] = [...ACTORS];
  /** What went wrong that nothing excuses, one sentence each. */
  readonly complaints: string[] = [];
  /** None while all is well. */
  faults: Faults | undefined;
  /** Of three writers: one is on time, one ahead, one behind. */
  readonly #trails: readonly AuditTrail[];
  readonly #processes = new Map<Role, WatchProcess>();
  readonly #rotated = new Set<string>();
  readonly #alter: Alter;
  readonly #seed: number;
  #streams = 0;

  constructor(seed: number, alter: Alter = (parts) => parts) {
    this.#seed = seed;
    this.#alter = alter;
    this.random = this.#stream();
    this.scheduler = new Scheduler(this.#stream(), START);
    this.tables.answers = () => this.scheduler.turn();
    this.#trails = [0, MAX_SKEW_MS, -MAX_SKEW_MS].map((skew) => {
      const clock = {
        now: () => this.scheduler.now + skew,
        sleep: (milliseconds: number) => this.scheduler.turn(milliseconds),
      };
      const { ledger } = this.tables;
      return createAuditTrail({ ledger, clock, random: this.#stream(), lanePolicy: EAGER });
    });
  }

  /** Makes the workspace. */
  found(): Promise<void> {
    const change = newWorkspace(WORKSPACE, 'Acme', timestamp(this.scheduler.now));
    const entity = { type: 'workspace', id: WORKSPACE };
    return this.#write(0, systemOrigin(WORKSPACE, 'setup'), {
      action: 'workspace.created',
      entity,
      result: 'success',
      changes: [change],
    });
  }

  /** An actor does something; with a mark, something to find. */
  use(writer: number, actor: string, secret: number, mark?: string): Promise<void> {
    if (mark !== undefined) this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1);
    return this.#write(writer, machine(actor), {
      action: 'secret.revealed',
      entity: { type: 'secret', id: `sec_${secret}` },
      result: 'success',
      ...(mark === undefined ? {} : { detail: { marked: mark } }),
    });
  }

  /** The detectors' settings are changed, to what they were. */
  async tune(writer: number, actor: string): Promise<void> {
    const stored = await this.tables.store.get(detectionSettingsKind, WORKSPACE, WORKSPACE);
    const content = { workspaceId: WORKSPACE, id: WORKSPACE, detectors: {} };
    const change =
      stored === undefined
        ? create(detectionSettingsKind, content)
        : update(detectionSettingsKind, stored, content);
    try {
      await this.#write(writer, machine(actor), {
        action: 'detection.updated',
        entity: { type: 'workspace', id: WORKSPACE },
        result: 'success',
        changes: [change],
      });
    } catch (error) {
      // Somebody else changed them at the same time.
      if (!(error instanceof RefusedChanges)) throw error;
    }
  }

  /** A key gets a successor, unless it has one; from then on, both are in use. */
  async rotate(writer: number, actor: string, key: string): Promise<void> {
    const successor = `${key}b`;
    if (this.#rotated.has(key)) return;
    this.#rotated.add(key);
    await this.#write(writer, machine(actor), {
      action: 'api_key.rotated',
      entity: { type: 'api_key', id: key },
      result: 'success',
      detail: { successor },
    });
    // Nobody has it sooner than any clock has come to the rotation.
    await this.scheduler.turn(3 * MAX_SKEW_MS);
    this.keys.push(successor);
  }

  /** Somebody without a key tries one. */
  knock(writer: number): Promise<void> {
    return this.#write(writer, strangerOrigin(WORKSPACE, '198.51.100.1', 'nmap'), {
      action: 'authentication.failed',
      entity: { type: 'workspace', id: WORKSPACE },
      result: 'denied',
    });
  }

  /** The vault itself does something, of which the detectors see nothing. */
  tidy(writer: number): Promise<void> {
    return this.#write(writer, systemOrigin(WORKSPACE), {
      action: 'secret.purged',
      entity: { type: 'secret', id: 'sec_1' },
      result: 'success',
    });
  }

  /** One run of the job, with batches of so many rows, until nothing is left or it dies. */
  async watch(role: Role, limit: number, mayGoOn = () => true): Promise<void> {
    const process = this.#process(role);
    await process.run(async () => {
      try {
        for await (const { error } of detectDeployment(this.#alter(process.parts), mayGoOn, limit))
          if (error !== undefined) this.#note(error);
      } catch (error) {
        this.#note(error);
      }
    });
  }

  /** The process of a role; a new one where the last one died. */
  #process(role: Role): WatchProcess {
    const running = this.#processes.get(role);
    if (running !== undefined && !running.isDead) return running;
    const { ledger, store } = this.tables;
    const started = new WatchProcess({
      scheduler: this.scheduler,
      draw: (call) => this.faults?.draw(call) ?? 'none',
      random: this.#stream(),
      ports: { ledger, store, states: this.states },
      skew: this.random.below(2 * MAX_SKEW_MS + 1) - MAX_SKEW_MS,
    });
    this.#processes.set(role, started);
    return started;
  }

  /** A run may fail because a store did, or because another one was quicker. */
  #note(error: unknown): void {
    const isExpected =
      error instanceof VaultError && (error.code === 'unavailable' || error.code === 'concurrent_change');
    if (!isExpected || this.faults === undefined) this.complaints.push(`a run failed: ${String(error)}`);
  }

  async #write(writer: number, origin: Origin, event: AuditEvent): Promise<void> {
    await this.#trails[writer % this.#trails.length]?.commit(origin, [event]);
  }

  #stream(): SeededRandom {
    this.#streams += 1;
    return new SeededRandom(this.#seed * STREAMS + this.#streams);
  }
}

function machine(actor: string): Origin {
  return {
    workspaceId: WORKSPACE,
    lane: PRINCIPAL_LANE,
    actor: { type: 'api_key', id: actor },
    ip: '203.0.113.7',
    userAgent: 'curl/8.9.1',
  };
}
