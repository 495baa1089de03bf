import { DEFAULT_LANE_POLICY, type LanePolicy } from '../../core/audit/lane-choice.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import type { HttpRequest } from '../../lambdas/api/http/request.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { MemoryBookkeeping } from '../support/memory-bookkeeping.ts';
import { MemoryDeliveryLog } from '../support/memory-delivery-log.ts';
import { MemoryKeys } from '../support/memory-keys.ts';
import { MemoryTables } from '../support/memory-ledger.ts';
import { MemoryBreachedPasswords } from '../support/memory-services.ts';
import { MemorySigner } from '../support/memory-signer.ts';
import { SeededRandom } from '../support/random.ts';
import { type Evidence, emptyEvidence } from './evidence.ts';
import { FaultPlan } from './faults.ts';
import { Instance } from './instance.ts';
import { observedLedger, type Ports } from './ports.ts';
import { Scheduler } from './scheduler.ts';

/** A deliberately broken variant of the adapters or of the program, which the checker has to catch. */
export interface Mutant {
  readonly alterPorts?: (ports: Ports, world: World) => Ports;
  readonly alterTrail?: (trail: AuditTrail, instance: Instance, world: World) => AuditTrail;
  readonly alterVault?: (vault: Vault, instance: Instance, world: World) => Vault;
  readonly alterRequest?: (request: HttpRequest, vault: Vault) => Promise<HttpRequest>;
}

const START = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE_MS = 60_000;
/** How far clocks are off, either way: a little in most histories, a lot in some. */
const SKEWS_MS = [200, 200, 200, 200, 5 * MINUTE_MS] as const;
/** In a part of the histories workspaces get more lanes as soon as anybody is in the way. */
const LANE_POLICIES: readonly LanePolicy[] = [
  DEFAULT_LANE_POLICY,
  { contendedAfter: 1, extraLanes: 3 },
  { contendedAfter: 1, extraLanes: 1 },
];
/** More streams of chance than one history ever asks for. */
const STREAMS = 4_096;

/** One deployment: its tables and services, and the instances of its functions that come and go. */
export class World {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly plan: FaultPlan;
  readonly evidence: Evidence = emptyEvidence();
  readonly tables = new MemoryTables();
  readonly keys: MemoryKeys;
  /** The token that the operator finds in Secrets Manager. */
  setupToken = '';
  readonly #seed: number;
  readonly #mutant: Mutant;
  readonly #ports: Ports;
  /** How far any clock is off at most, in milliseconds. */
  readonly #skew: number;
  /** In some histories functions with a stronger hasher are deployed while the weaker ones still serve. */
  readonly #strongest: number;
  readonly #lanePolicy: LanePolicy;
  #streams = 0;
  #idle: Instance[] = [];

  constructor(seed: number, mutant: Mutant = {}) {
    this.#seed = seed;
    this.#mutant = mutant;
    this.random = this.#stream();
    this.scheduler = new Scheduler(this.#stream(), START);
    this.plan = new FaultPlan(this.#stream());
    const keyRandom = this.#stream();
    this.keys = new MemoryKeys(keyRandom.bytes(32), keyRandom);
    this.#skew = SKEWS_MS[this.random.below(SKEWS_MS.length)] ?? 0;
    this.evidence.skew = 2 * this.#skew;
    this.#strongest = this.random.below(4) === 0 ? 2 : 1;
    this.#lanePolicy = LANE_POLICIES[this.random.below(LANE_POLICIES.length)] ?? DEFAULT_LANE_POLICY;
    this.rotateSetupToken();
    this.#ports = this.#makePorts();
  }

  rotateSetupToken(): void {
    this.setupToken = this.secretText();
  }

  /** A value, unlike any other and recognizable wherever it turns up: see `check-plaintext.ts`. Passes for a password. */
  secretText(): string {
    return `PLAINTEXT-a1${Buffer.from(this.random.bytes(8)).toString('hex')}-TXETNIALP`;
  }

  alterRequest(request: HttpRequest, vault: Vault): Promise<HttpRequest> {
    return this.#mutant.alterRequest?.(request, vault) ?? Promise.resolve(request);
  }

  /** An instance for one request: one that is idle, or a new one. */
  lease(): Instance {
    // One may have died after its answer, by a call that nobody waited for.
    this.#idle = this.#idle.filter((instance) => !instance.isDead);
    const idle = this.#idle[this.random.below(this.#idle.length + 1)];
    if (idle === undefined) return this.#startInstance();
    this.#idle = this.#idle.filter((one) => one !== idle);
    return idle;
  }

  release(instance: Instance): void {
    this.#idle.push(instance);
  }

  /** Ends all instances: the next request meets a cold one. */
  restart(): void {
    this.#idle = [];
  }

  /** Lets the table forget what is over, as DynamoDB's time to live does. */
  forgetExpired(isOver: (expiry: number) => boolean): void {
    for (const [key, { entity }] of this.tables.entities) {
      const expiry =
        'expiresAt' in entity && typeof entity.expiresAt === 'number' ? entity.expiresAt : undefined;
      if (expiry === undefined || !isOver(expiry)) continue;
      this.tables.entities.delete(key);
      const { kind, workspaceId, id } = entity;
      this.evidence.forgotten.push({ step: this.scheduler.step, kind, workspaceId, id });
    }
  }

  #startInstance(): Instance {
    const { scheduler, plan, evidence } = this;
    const { alterTrail, alterVault } = this.#mutant;
    return new Instance({
      scheduler,
      plan,
      evidence,
      random: this.#stream(),
      network: this.random,
      ports: this.#ports,
      skew: this.random.below(2 * this.#skew + 1) - this.#skew,
      lanePolicy: this.#lanePolicy,
      passes: 1 + this.random.below(this.#strongest),
      alterTrail: (trail, instance) => alterTrail?.(trail, instance, this) ?? trail,
      alterVault: (vault, instance) => alterVault?.(vault, instance, this) ?? vault,
    });
  }

  #makePorts(): Ports {
    const { tables, scheduler, evidence } = this;
    const root = this.secretText();
    const bookkeeping = new MemoryBookkeeping(tables);
    // No minute before the start is worth a look.
    void bookkeeping.markSwept(Math.floor(START / MINUTE_MS));
    const ports: Ports = {
      ledger: tables.ledger,
      store: tables.store,
      keys: this.keys,
      bookkeeping,
      deliveries: new MemoryDeliveryLog(tables),
      inspector: tables.inspector,
      signer: new MemorySigner(new Uint8Array(32).fill(9)),
      breached: new MemoryBreachedPasswords(),
      mail: {
        send: async ({ to, text }) => {
          evidence.mails.push({ step: scheduler.step, to, text });
        },
      },
      secrets: {
        rootSecret: async () => ({ current: 'r1', secrets: new Map([['r1', root]]) }),
        setupToken: async () => this.setupToken,
      },
    };
    const altered = this.#mutant.alterPorts?.(ports, this) ?? ports;
    return { ...altered, ledger: observedLedger(altered.ledger, tables, evidence, () => scheduler.step) };
  }

  #stream(): SeededRandom {
    this.#streams += 1;
    return new SeededRandom(this.#seed * STREAMS + this.#streams);
  }
}
