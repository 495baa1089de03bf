import type { RequestContext } from '../../core/access/principal.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import type { Ledger } from '../../core/audit/ledger.ts';
import { type AuditTrail, createAuditTrail } from '../../core/audit/trail.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import { type EncryptionContext, type KeyService, OpeningFailed } from '../../core/crypto/key-service.ts';
import type { KeyInspector } from '../../core/encryption-keys/key-inspector.ts';
import { create } from '../../core/kernel/entity.ts';
import { unavailable, VaultError } from '../../core/kernel/errors.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import type { Store } from '../../core/kernel/store.ts';
import type { VaultRoles } from '../../core/reconciliation/call-roles.ts';
import type { KeyCall } from '../../core/reconciliation/key-calls.ts';
import { valueKey } from '../../core/reconciliation/opened-value.ts';
import type { CreatingParts } from '../../core/secrets/parts.ts';
import { newWorkspace, workspaceKind } from '../../core/workspaces/workspace.ts';
import { API_ROLE, CallLog } from '../support/call-log.ts';
import { MemoryBookkeeping } from '../support/memory-bookkeeping.ts';
import { keysOfDeployment, MemoryKeys, VAULT_KEY_ARN } from '../support/memory-keys.ts';
import { type Fault, MemoryTables } from '../support/memory-ledger.ts';
import { callerWith } from '../support/memory-vault.ts';
import { SeededRandom } from '../support/random.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** What goes wrong. `gentle`: only what leaves every row with exactly its calls. */
export type Trouble = 'none' | 'gentle' | 'rough';

/** A deliberately broken part, which has to show. */
export interface Mutant {
  readonly keys?: (keys: KeyService) => KeyService;
  readonly trail?: (trail: AuditTrail) => AuditTrail;
  /** What the reconciliation reads. */
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly store?: (store: Store) => Store;
  readonly calls?: (log: CallLog, vault: SimulatedVault) => CallLog;
  readonly roles?: VaultRoles;
}

export const WORKSPACES = [`ws_${'a'.repeat(32)}`, `ws_${'b'.repeat(32)}`, `ws_${'c'.repeat(32)}`] as const;
/** The third workspace has had it from the beginning: none of its values ever lay under a key of the vault's. */
const TENANT_KEY = 'arn:aws:kms:us-east-1:444455556666:key/only';
/** What the customer of the first workspace brings, one after the other. */
export const CUSTOMER_KEYS = [
  'arn:aws:kms:us-east-1:111122223333:key/first',
  'arn:aws:kms:us-east-1:111122223333:key/second',
] as const;
/** Instances open more lanes as soon as anybody is in their way. */
const EAGER = { contendedAfter: 1, extraLanes: 3 };
const MAX_SKEW_MS = 2_000;
/** As `CLIENT_CONFIG` has it. */
const MAX_ATTEMPTS = 2;

/** A deployment whose function instances come and go, and a key service that keeps the truth of what it did. */
export class SimulatedVault {
  readonly time = new VirtualTime();
  readonly tables = new MemoryTables();
  readonly random: SeededRandom;
  /** Every call that the key service noted down, in order. */
  readonly calls: KeyCall[] = [];
  readonly log = new CallLog(this.time);
  /** The calls that were made on a key of the vault's own, by event id. */
  readonly onOwnKey = new Set<string>();
  /** The calls that the vault made beyond the first of each opening, by value: what only a second row accounts for. */
  readonly repeated = new Map<string, number>();
  trouble: Trouble = 'none';
  readonly #kek: MemoryKeys;
  readonly #mutant: Mutant;

  constructor(seed: number, mutant: Mutant = {}) {
    this.random = new SeededRandom(seed);
    this.#mutant = mutant;
    this.#kek = new MemoryKeys(new Uint8Array(32).fill(7), this.random);
    this.tables.faults = async ({ name }) => {
      if (this.trouble === 'none') return 'none';
      await this.time.sleep(this.random.below(40));
      return this.#draw(name);
    };
  }

  /** What the customer's keys say of themselves: nothing is wrong with them. */
  readonly inspector: KeyInspector = {
    describe: async () => ({
      state: 'Enabled',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      manager: 'CUSTOMER',
    }),
    mayGenerate: async (_, { workspaceId }) => workspaceId === WORKSPACES[0],
  };

  /** One function instance, with a clock of its own. */
  instance(principal = API_ROLE): CreatingParts {
    const { tables, time, random } = this;
    const skew = random.below(2 * MAX_SKEW_MS + 1) - MAX_SKEW_MS;
    const clock: Clock = { now: () => time.now() + skew, sleep: (wait) => time.sleep(wait) };
    const { ledger, store } = tables;
    const trail = createAuditTrail({ ledger, clock, random, lanePolicy: EAGER });
    const keys: KeyService = {
      generateDataKey: (keyArn, context) => this.#kek.generateDataKey(keyArn, context),
      decrypt: async (wrapped, keyArn, context) => {
        const attempts = await this.#ask(keyArn, context, { principal });
        const { plaintext } = await this.#kek.decrypt(wrapped, keyArn, context);
        return { plaintext, attempts };
      },
      reEncrypt: async (wrapped, { from, to }, context) => {
        const destination = { keyArn: to, context };
        const move = { principal, operation: 'ReEncrypt', destination } as const;
        await this.#ask(from, context, move);
        return this.#kek.reEncrypt(wrapped, { from, to }, context);
      },
    };
    return {
      store,
      clock,
      random,
      trail: this.#mutant.trail?.(trail) ?? trail,
      keys: this.#mutant.keys?.(keys) ?? keys,
      alerts: { raise: async () => undefined },
      deploymentKeys: keysOfDeployment(),
      bookkeeping: new MemoryBookkeeping(this.tables),
      defaultPlan: 'enterprise',
      derivedKeys: createDerivedKeys(async () => ({
        current: '1',
        secrets: new Map([['1', 'r'.repeat(43)]]),
      })),
    };
  }

  async open(): Promise<readonly RequestContext[]> {
    const { trail } = this.instance();
    for (const id of WORKSPACES) {
      const since = '2026-01-01T00:00:00.000Z';
      const { entity } = newWorkspace(id, 'Acme', since);
      const encryptionKey = { keyArn: TENANT_KEY, since };
      const changes = [create(workspaceKind, id === WORKSPACES[2] ? { ...entity, encryptionKey } : entity)];
      const event = { action: 'workspace.created', entity: { type: 'workspace', id }, changes } as const;
      await trail.commit(systemOrigin(id), [{ ...event, result: 'success' }]);
    }
    return WORKSPACES.map((workspaceId) => callerWith({ workspaceId, role: 'owner' }));
  }

  /** The key service carries out a call, for whomever. */
  carryOut(keyArn: string, context: EncryptionContext, other: Partial<KeyCall> = {}): KeyCall {
    const call = this.log.recordOf(context, other);
    this.calls.push(call);
    if ([keyArn, call.destination?.keyArn].includes(VAULT_KEY_ARN)) this.onOwnKey.add(call.eventId);
    return call;
  }

  /** @returns how often the key service was asked until it answered. */
  async #ask(keyArn: string, context: EncryptionContext, call: Partial<KeyCall>): Promise<number> {
    const value = valueKey(context);
    let calls = 0;
    for (let attempt = 1; ; attempt += 1) {
      await this.time.sleep(this.random.below(400));
      const answer = this.#drawAnswer();
      if (answer === 'refused') {
        this.carryOut(keyArn, context, { ...call, errorCode: 'DisabledException' });
        throw new OpeningFailed(new VaultError('key_unavailable', 'It is disabled.'), attempt);
      }
      if (answer !== 'throttled') {
        const { operation } = this.carryOut(keyArn, context, call);
        calls += 1;
        if (calls > 1 && operation === 'Decrypt')
          this.repeated.set(value, (this.repeated.get(value) ?? 0) + 1);
      }
      if (answer === 'answered') return attempt;
      // No answer came, for as long as a request may take.
      await this.time.sleep(answer === 'lost' ? 3_000 : this.random.below(200));
      if (attempt === MAX_ATTEMPTS)
        throw new OpeningFailed(unavailable('The key service does not answer.'), attempt);
    }
  }

  #drawAnswer(): 'answered' | 'lost' | 'throttled' | 'refused' {
    const chance = this.random.below(20);
    if (this.trouble === 'none') return 'answered';
    if (chance === 0) return 'lost';
    if (this.trouble === 'rough' && chance < 3) return chance === 1 ? 'throttled' : 'refused';
    return 'answered';
  }

  #draw(name: string): Fault {
    const chance = this.random.below(12);
    if (name === 'ledger.append' && chance < 3) return chance === 0 ? 'after' : 'contended';
    if (this.trouble === 'rough' && chance === 4) return name === 'ledger.append' ? 'late' : 'before';
    return 'none';
  }
}
