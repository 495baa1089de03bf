import type { LanePolicy } from '../../core/audit/lane-choice.ts';
import { type AuditTrail, createAuditTrail } from '../../core/audit/trail.ts';
import { createCursors } from '../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import type { KeyService } from '../../core/crypto/key-service.ts';
import { allKinds } from '../../core/kinds.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { CUSTOMER_KEYS, MemoryCustomerKeys } from '../support/memory-customer-keys.ts';
import { memorySync } from '../support/memory-customer-secrets.ts';
import { keysOfDeployment } from '../support/memory-keys.ts';
import { MemoryTables } from '../support/memory-ledger.ts';
import { memoryLog, PUBLIC_URL } from '../support/memory-vault.ts';
import { MemoryVerifications } from '../support/memory-verifications.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Evidence } from './evidence.ts';
import type { FaultPlan } from './faults.ts';
import { seededHasher } from './hasher.ts';
import { Mortal } from './mortal.ts';
import { type Ports, withFaults } from './ports.ts';
import type { Scheduler } from './scheduler.ts';

/** What an instance is made from. */
export interface InstanceParts {
  readonly scheduler: Scheduler;
  readonly plan: FaultPlan;
  readonly evidence: Evidence;
  /** Chance for the program: ids, nonces, waits. */
  readonly random: SeededRandom;
  /** Chance for the network between the program and its ports. */
  readonly network: SeededRandom;
  readonly ports: Ports;
  /** Milliseconds by which its clock is ahead, if not behind. */
  readonly skew: number;
  /** Of the password hasher that it was deployed with. */
  readonly passes: number;
  readonly lanePolicy: LanePolicy;
  /** For mutants: what the program uses for its trail. */
  readonly alterTrail: (trail: AuditTrail, instance: Instance) => AuditTrail;
  readonly alterVault: (vault: Vault, instance: Instance) => Vault;
}

/**
 * One instance of the functions: it has an audit trail with a head cache of its own, serves one request at a time, and
 * when it crashes nothing in it ever goes on.
 */
export class Instance {
  readonly vault: Vault;
  readonly crashed: Promise<'crashed'>;
  /** The exchange that is being served. */
  exchange: number | undefined;
  readonly #parts: InstanceParts;
  readonly #mortal: Mortal;

  get isDead(): boolean {
    return this.#mortal.isDead;
  }

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const { random, plan } = parts;
    this.#mortal = new Mortal({ ...parts, draw: (call) => plan.draw(call) });
    this.crashed = this.#mortal.died.then(() => 'crashed');
    const { clock } = this.#mortal;
    const ports = withFaults(parts.ports, this.#mortal.perform);
    const trail = createAuditTrail({
      ledger: ports.ledger,
      clock,
      random,
      lanePolicy: parts.lanePolicy,
    });
    const derivedKeys = createDerivedKeys(() => ports.secrets.rootSecret());
    const vault: Vault = {
      ...ports,
      keys: this.#observedKeys(parts.ports.keys),
      deploymentKeys: keysOfDeployment(),
      // Nobody here has a key of their own.
      keyInspector: new MemoryCustomerKeys(new Uint8Array(32), random),
      customerKeys: CUSTOMER_KEYS,
      trail: parts.alterTrail(trail, this),
      kinds: allKinds,
      clock,
      random,
      derivedKeys,
      cursors: createCursors(derivedKeys, random),
      setupToken: () => ports.secrets.setupToken(),
      publicUrl: PUBLIC_URL,
      receivers: { allowPrivate: false, sendsMail: true, topicArns: [] },
      log: memoryLog(new MemoryTables(), clock),
      verifications: new MemoryVerifications(new MemoryTables()),
      ...memorySync(new MemoryTables()),
      alerts: { raise: async () => undefined },
      defaultPlan: 'enterprise',
      // Nobody here comes near it; how it fails is tried by itself.
      requestLimit: { demand: async () => undefined, keepFresh: async () => undefined },
      hasher: seededHasher(random, parts.passes),
    };
    this.vault = parts.alterVault(vault, this);
  }

  /** Notes for whom each value is opened, and every plaintext data key that reaches the program. */
  #observedKeys(keys: KeyService): KeyService {
    const { evidence, scheduler } = this.#parts;
    const keep = (key: Uint8Array): void => {
      evidence.dataKeys.push({ key, exchange: this.exchange });
    };
    return {
      generateDataKey: async (keyArn, context) => {
        const dataKey = await this.#mortal.perform('keys.generateDataKey', () =>
          keys.generateDataKey(keyArn, context),
        );
        keep(dataKey.plaintext);
        return dataKey;
      },
      decrypt: async (wrapped, keyArn, context) => {
        const { exchange } = this;
        const unwrapped = await this.#mortal.perform('keys.decrypt', () => {
          evidence.decryptions.push({ step: scheduler.step, exchange, context });
          return keys.decrypt(wrapped, keyArn, context);
        });
        keep(unwrapped.plaintext);
        return unwrapped;
      },
      reEncrypt: (wrapped, between, context) =>
        this.#mortal.perform('keys.reEncrypt', () => keys.reEncrypt(wrapped, between, context)),
    };
  }
}
