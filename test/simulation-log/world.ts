import { noteKey } from '../../core/archive/manifest.ts';
import { DEFAULT_LANE_POLICY, type LanePolicy } from '../../core/audit/lane-choice.ts';
import type { Alert } from '../../core/detection/alert.ts';
import type { RowRemover } from '../../core/retention/row-remover.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { MemoryArchive } from '../support/memory-archive.ts';
import { MemoryTables, rowKey } from '../support/memory-ledger.ts';
import { MemorySeals } from '../support/memory-seals.ts';
import { MemorySigner } from '../support/memory-signer.ts';
import { MemoryVerifications } from '../support/memory-verifications.ts';
import { SeededRandom } from '../support/random.ts';
import { emptyEvidence, type Remains } from './evidence.ts';
import type { Faults } from './faults.ts';
import type { LogPorts } from './ports.ts';
import { LOG_NAME, Process } from './process.ts';

/** The functions at work: three that write, two sealers, and one of each other job. */
export const ROLES = [
  'writer 1',
  'writer 2',
  'writer 3',
  'sealer 1',
  'sealer 2',
  'archiver',
  'verifier',
  'retention',
] as const;
export type Role = (typeof ROLES)[number];

/** A deliberately broken variant, which the checker has to catch. */
export interface Mutant {
  readonly alterPorts: (ports: LogPorts, role: Role, world: LogWorld) => LogPorts;
}

const START = Date.parse('2026-01-01T09:00:00.000Z');
/** Clocks are off by at most so much, either way. */
const MAX_SKEW_MS = 2_000;
/** One writer opens more lanes as soon as anybody is in its way. */
const EAGER: LanePolicy = { contendedAfter: 1, extraLanes: 2 };
/** More streams of chance than one history ever asks for. */
const STREAMS = 4_096;

/** One deployment: its stores, and the processes that come and go. */
export class LogWorld {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly tables = new MemoryTables();
  readonly archive: MemoryArchive;
  readonly seals = new MemorySeals(this.tables);
  readonly verifications = new MemoryVerifications(this.tables);
  readonly signer = new MemorySigner(new Uint8Array(32).fill(9));
  readonly evidence = emptyEvidence();
  /** None while all is well. */
  faults: Faults | undefined;
  /** Kinds of breaks that the verifier may rightly find, and why not all is as it should be. */
  readonly excuses = new Set<string>();
  readonly #mutant: Mutant | undefined;
  readonly #seed: number;
  #streams = 0;
  readonly #processes = new Map<Role, Process>();
  readonly #ports: LogPorts;

  constructor(seed: number, mutant?: Mutant) {
    this.#seed = seed;
    this.#mutant = mutant;
    this.random = this.stream();
    this.scheduler = new Scheduler(this.stream(), START);
    this.archive = new MemoryArchive(this.tables, { now: () => this.scheduler.now });
    this.#ports = this.#observedPorts();
  }

  stream(): SeededRandom {
    this.#streams += 1;
    return new SeededRandom(this.#seed * STREAMS + this.#streams);
  }

  /** A world of its own that stands where this one stands, without its processes; to be played without the deployment's scan. */
  copy(): LogWorld {
    const world = new LogWorld(this.#seed, this.#mutant);
    world.scheduler.now = this.scheduler.now;
    const { tables, archive, seals, verifications, evidence } = this;
    for (const [key, row] of tables.rows) world.tables.rows.set(key, row);
    for (const [key, entity] of tables.entities) world.tables.entities.set(key, entity);
    for (const [key, versions] of archive.versions) world.archive.versions.set(key, versions);
    for (const [key, bytes] of archive.staged) world.archive.staged.set(key, bytes);
    for (const [key, state] of seals.states) world.seals.states.set(key, state);
    for (const [key, lane] of seals.leaves) world.seals.leaves.set(key, new Map(lane));
    for (const [key, state] of verifications.states) world.verifications.states.set(key, state);
    world.evidence.intents.push(...evidence.intents.map((intent) => ({ ...intent })));
    world.evidence.rows.push(...evidence.rows);
    world.evidence.states.push(...evidence.states);
    for (const key of evidence.removed) world.evidence.removed.add(key);
    return world;
  }

  /** The process of a role; a new one where the last one died. */
  process(role: Role): Process {
    const running = this.#processes.get(role);
    if (running !== undefined && !running.isDead) return running;
    const started = new Process({
      scheduler: this.scheduler,
      draw: (call) => this.faults?.draw(call) ?? 'none',
      random: this.stream(),
      network: this.random,
      ports: this.#mutant?.alterPorts(this.#ports, role, this) ?? this.#ports,
      skew: this.random.below(2 * MAX_SKEW_MS + 1) - MAX_SKEW_MS,
      lanePolicy: role === 'writer 3' ? EAGER : DEFAULT_LANE_POLICY,
      alerts: { raise: async (alert) => this.#note(alert) },
    });
    this.#processes.set(role, started);
    return started;
  }

  /** Ends all processes: none of them lives for as long as a row is kept. */
  restart(): void {
    this.#processes.clear();
  }

  async remains(): Promise<Remains> {
    const [key] = await this.signer.publicKeys();
    return {
      evidence: this.evidence,
      archive: this.archive,
      table: [...this.tables.rows.values()],
      publicKey: key?.publicKey ?? new Uint8Array(),
      logName: LOG_NAME,
      end: this.scheduler.now,
    };
  }

  #note(alert: Alert): void {
    const { kind, detail } = alert;
    const reason = kind === 'audit_break' ? (detail['reason'] ?? '') : kind;
    this.evidence.alerts.push({ alert, isExcused: this.excuses.has(reason) });
  }

  /** Notes what the stores carry out. */
  #observedPorts(): LogPorts {
    const { tables, archive, seals, verifications, signer, evidence } = this;
    const remove: RowRemover['remove'] = (lane, seqs) =>
      tables.call('remover.remove', () => {
        for (const seq of seqs) this.#remove({ ...lane, seq });
      });
    return {
      ledger: {
        ...tables.ledger,
        append: async (rows, changes) => {
          const outcome = await tables.ledger.append(rows, changes);
          const copies = rows.map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) }));
          if (outcome.status === 'committed') evidence.rows.push(...copies);
          return outcome;
        },
      },
      store: tables.store,
      inspector: tables.inspector,
      archive,
      staging: archive.staging,
      seals: {
        read: (workspaceId) => seals.read(workspaceId),
        segmentOf: (workspaceId, lane, seq) => seals.segmentOf(workspaceId, lane, seq),
        segments: (...values) => seals.segments(...values),
        replace: async (next, segments) => {
          const outcome = await seals.replace(next, segments);
          if (outcome === 'replaced') evidence.states.push(next);
          return outcome;
        },
      },
      verifications,
      signer,
      remover: { remove },
    };
  }

  #remove(place: { readonly workspaceId: string; readonly lane: number; readonly seq: number }): void {
    const { workspaceId, seq } = place;
    const key = rowKey(place, seq);
    const row = this.tables.rows.get(key);
    if (row === undefined) return;
    const content: { readonly ts: string } = JSON.parse(Buffer.from(row.bytes).toString('utf8'));
    const isArchived = this.archive.current(noteKey(workspaceId, content.ts.slice(0, 10))) !== undefined;
    const isLast = this.tables.lane(row).at(-1)?.seq === seq;
    if (!isArchived) this.evidence.complaints.push(`${key} was removed before it was archived`);
    if (isLast) this.evidence.complaints.push(`${key} was removed, the last row of its lane`);
    this.evidence.removed.add(key);
    this.tables.rows.delete(key);
  }
}
