import type { RequestContext } from '../../core/access/principal.ts';
import { ALL_NAMESPACES } from '../../core/access/role.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import type { EncryptionKeyParts } from '../../core/encryption-keys/encryption-key-parts.ts';
import { migrateDeployment } from '../../core/encryption-keys/migrate-deployment.ts';
import type { MigrationParts } from '../../core/encryption-keys/migration-parts.ts';
import type { DeploymentKeys } from '../../core/encryption-keys/wrapping-key.ts';
import type { Entity } from '../../core/kernel/entity.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import type { CreatingParts } from '../../core/secrets/parts.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import type { Faults } from '../simulation-log/faults.ts';
import { MemoryBookkeeping } from '../support/memory-bookkeeping.ts';
import { keysOfDeployment } from '../support/memory-keys.ts';
import { MemoryTables } from '../support/memory-ledger.ts';
import { deepCopy, entityKey } from '../support/memory-store.ts';
import { SeededRandom } from '../support/random.ts';
import { type Asked, Evidence, type EvidentChange, type Request } from './evidence.ts';
import { LaggingLists } from './lagging-lists.ts';
import { KeysProcess } from './process.ts';
import { customerKey, LETTERS, WorldKeys } from './world-keys.ts';

export const WORKSPACES = [`ws_${'a'.repeat(32)}`, `ws_${'b'.repeat(32)}`] as const;
export const OWN_KEYS = ['values', 'values-2'].map(
  (name) => `arn:aws:kms:us-east-1:000000000000:key/${name}`,
) as [string, string];

export const REWRAPPERS = ['rewrapper 1', 'rewrapper 2'] as const;
export type Rewrapper = (typeof REWRAPPERS)[number];

/** What the use cases of the API work with. */
export type ApiParts = CreatingParts & EncryptionKeyParts;

/** A deliberately altered variant of the program, seen from its ports. */
export interface Broken {
  readonly api?: (parts: ApiParts, world: KeysWorld) => ApiParts;
  readonly rewrapper?: (parts: MigrationParts, world: KeysWorld) => MigrationParts;
}

const START = Date.parse('2026-01-01T09:01:00.000Z');
/** Clocks are off by at most so much, either way. */
export const MAX_SKEW_MS = 2_000;
/** API Gateway gives up after 29 seconds, and the function ends soon after. */
const REQUEST_LIMIT_MS = 30_000;
const RUN_LIMIT_MS = 300_000;
/** How far lists may lag in a history, in milliseconds. */
const LAGS = [0, 500, 20_000, 50_000] as const;
const STREAMS = 4_096;
const DERIVED_KEYS = createDerivedKeys(async () => ({
  current: '1',
  secrets: new Map([['1', 'r'.repeat(43)]]),
}));
/** Who asks for everything. */
const OWNER = {
  type: 'user',
  id: 'owner',
  role: 'owner',
  namespaces: [ALL_NAMESPACES],
  sessionId: 'session',
  steppedUp: true,
} as const;

/** One deployment: its tables and keys, the functions that come and go, and all that they did. */
export class KeysWorld {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly tables = new MemoryTables();
  readonly evidence = new Evidence();
  readonly keys: WorldKeys;
  /** What the environment of each function says at present. */
  readonly environment: { api: DeploymentKeys; rewrapper: DeploymentKeys };
  /** Keys that somebody is about to bring. */
  readonly wanted = new Set<string>();
  /** None while all is well. */
  faults: Faults | undefined;
  readonly #bookkeeping = new MemoryBookkeeping(this.tables);
  readonly #lists = new LaggingLists();
  /** Chance for the index. */
  readonly #lagging: SeededRandom;
  readonly #lag: number;
  readonly #seed: number;
  readonly #broken: Broken;
  readonly #rewrappers = new Map<Rewrapper, KeysProcess>();
  #idle: KeysProcess[] = [];
  #streams = 0;
  #numbers = 0;

  /** @param lag how far lists may lag, in milliseconds; by default, as the seed says. */
  constructor(seed: number, broken: Broken = {}, lag?: number) {
    this.#seed = seed;
    this.#broken = broken;
    this.random = this.#stream();
    this.scheduler = new Scheduler(this.#stream(), START);
    this.keys = new WorldKeys(this.#stream(), this.evidence, () => this.scheduler.now);
    for (const [index, workspaceId] of WORKSPACES.entries())
      for (const letter of LETTERS) this.keys.give(customerKey(index, letter), workspaceId);
    const keys = keysOfDeployment(OWN_KEYS[0]);
    this.environment = { api: keys, rewrapper: keys };
    this.#lagging = this.#stream();
    this.#lag = lag ?? LAGS[this.random.below(LAGS.length)] ?? 0;
  }

  /** Somebody asks the API for something, once. */
  async request(
    asked: Asked,
    work: (parts: ApiParts, context: RequestContext) => Promise<unknown>,
  ): Promise<Request> {
    const { requests } = this.evidence;
    const userAgent = `request-${requests.length + 1}`;
    const { now } = this.scheduler;
    const request: Request = {
      ...asked,
      userAgent,
      startedAt: now,
      endedAt: now,
      faults: 0,
      outcome: 'died',
    };
    requests.push(request);
    const context: RequestContext = {
      principal: { ...OWNER, workspaceId: asked.workspaceId },
      ip: '203.0.113.7',
      ...(asked.idempotencyKey === undefined ? {} : { idempotencyKey: asked.idempotencyKey }),
      userAgent,
    };
    const process = this.#freeProcess();
    const parts = this.#apiParts(process);
    const run = process.run(REQUEST_LIMIT_MS, now, async () => {
      try {
        request.outcome = { answer: await work(parts, context) };
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        request.outcome = { code: error.code };
      }
    });
    request.faults = await run;
    request.endedAt = this.scheduler.now;
    if (!process.isDead && process.deploymentKeys === this.environment.api) this.#idle.push(process);
    return request;
  }

  /** One run of the job, for so long at most, or until it dies. */
  async rewrap(role: Rewrapper, mayGoOn: () => boolean = () => true): Promise<void> {
    const process = this.#rewrapper(role);
    const { trail, clock, deploymentKeys, ports } = process;
    const { store, keys } = ports;
    // Nothing else of the key service: what it cannot call, it cannot learn from.
    const mover: MigrationParts['keys'] = { reEncrypt: (...values) => keys.reEncrypt(...values) };
    const alerts = { raise: async () => undefined };
    const parts: MigrationParts = { store, trail, clock, keys: mover, alerts, deploymentKeys };
    await process.run(RUN_LIMIT_MS, this.scheduler.now, async () => {
      try {
        const run = migrateDeployment(this.#broken.rewrapper?.(parts, this) ?? parts, mayGoOn);
        for (const { error } of (await run).failures) this.#note(role, error);
      } catch (error) {
        this.#note(role, error);
      }
    });
  }

  /** The deployment moves on: what runs with the old environment comes to its end, and nothing new begins there. */
  deploy(role: 'api' | 'rewrapper', keys: DeploymentKeys): void {
    this.environment[role] = keys;
    if (role === 'api') this.#idle = [];
    else this.#rewrappers.clear();
  }

  /** Chance of its own for somebody. */
  stream(): SeededRandom {
    return this.#stream();
  }

  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  /** All of a kind, as the table has them. */
  entities<E extends Entity>(kind: E['kind']): readonly E[] {
    const all = [...this.tables.entities.values()].map(({ entity }) => entity);
    return all.filter((entity) => entity.kind === kind) as E[];
  }

  /** A process that belongs to nobody: it sets the scene, without faults. */
  process(): KeysProcess {
    return this.#start(this.environment.api);
  }

  #freeProcess(): KeysProcess {
    return this.#idle.pop() ?? this.#start(this.environment.api);
  }

  #rewrapper(role: Rewrapper): KeysProcess {
    const running = this.#rewrappers.get(role);
    if (running !== undefined && !running.isDead) return running;
    const started = this.#start(this.environment.rewrapper);
    this.#rewrappers.set(role, started);
    return started;
  }

  #start(deploymentKeys: DeploymentKeys): KeysProcess {
    const { scheduler, tables, keys } = this;
    return new KeysProcess({
      scheduler,
      draw: (call) => this.faults?.draw(call) ?? 'none',
      random: this.#stream(),
      ports: {
        ledger: this.#observed(tables.ledger),
        store: this.#lists.over(tables.store, () => scheduler.now),
        keys,
      },
      deploymentKeys,
      skew: this.random.below(2 * MAX_SKEW_MS + 1) - MAX_SKEW_MS,
    });
  }

  #apiParts(process: KeysProcess): ApiParts {
    const { trail, clock, random, deploymentKeys, ports } = process;
    const { store, keys } = ports;
    const alerts = { raise: async () => undefined };
    const parts: ApiParts = {
      ...{ store, trail, clock, random, keys, deploymentKeys, alerts, derivedKeys: DERIVED_KEYS },
      bookkeeping: process.faulty('bookkeeping', this.#bookkeeping),
      keyInspector: process.faulty('inspector', this.keys.inspector),
      customerKeys: {
        accounts: 'any',
        granted: [],
        users: { api: 'api', rewrapper: 'rewrapper', syncer: 'syncer' },
      },
      defaultPlan: 'enterprise',
    };
    return this.#broken.api?.(parts, this) ?? parts;
  }

  /** Notes what the tables carried out, at the moment when they did. */
  #observed(ledger: Ledger): Ledger {
    return {
      ...ledger,
      append: async (rows, changes) => {
        const removed = changes.map(({ change }) => this.tables.entities.get(entityKey(change.entity)));
        const outcome = await ledger.append(rows, changes);
        if (outcome.status !== 'committed') return outcome;
        const evident = changes.map(({ change, row }, index): EvidentChange => {
          const entity = change.op === 'put' ? change.entity : (removed[index]?.entity ?? change.entity);
          return { op: change.op, entity: deepCopy(entity), row };
        });
        const { now } = this.scheduler;
        const parsed = rows.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')));
        this.evidence.commits.push({ at: now, rows: parsed, changes: evident });
        for (const change of evident)
          this.#lists.follow(change, now, this.#lagging.below(this.#lag + 1), this.#lagging.below(2) === 0);
        return outcome;
      },
    };
  }

  /** A run may fail because a store or a key did, or because somebody else was quicker. */
  #note(role: Rewrapper, error: unknown): void {
    const isExpected =
      error instanceof VaultError &&
      ['unavailable', 'key_unavailable', 'concurrent_change'].includes(error.code);
    if (!isExpected || this.faults === undefined)
      this.evidence.complaints.push(`a run of ${role} failed: ${String(error)}`);
  }

  #stream(): SeededRandom {
    this.#streams += 1;
    return new SeededRandom(this.#seed * STREAMS + this.#streams);
  }
}
