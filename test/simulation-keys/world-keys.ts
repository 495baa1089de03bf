import {
  type DataKey,
  type EncryptionContext,
  type KeyService,
  OpeningFailed,
  type UnwrappedKey,
} from '../../core/crypto/key-service.ts';
import type { KeyInspector } from '../../core/encryption-keys/key-inspector.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { MemoryKeys } from '../support/memory-keys.ts';
import type { SeededRandom } from '../support/random.ts';
import type { Evidence } from './evidence.ts';

const KEK = new Uint8Array(32).fill(7);
const FOREVER = Number.MAX_SAFE_INTEGER;

/** The keys that a tenant has. */
export const LETTERS = ['a', 'b', 'c'] as const;

/** A key of a tenant's own account, which the vault may use for this tenant's values alone. */
export function customerKey(workspaceIndex: number, letter: string): string {
  const account = String(workspaceIndex + 1).repeat(12);
  const id = [8, 4, 4, 4, 12].map((digits) => letter.repeat(digits)).join('-');
  return `arn:aws:kms:us-east-1:${account}:key/${id}`;
}

/** The same keys for the checker, who may open everything at any time. */
export function keysOfTheChecker(random: SeededRandom): MemoryKeys {
  return new MemoryKeys(KEK, random);
}

/** The key service of the world: keys come and go, each serves its owner alone, and every data key handed out is noted. */
export class WorldKeys implements KeyService {
  readonly inspector: KeyInspector = {
    describe: async (keyArn) => ({
      state: this.isUsable(keyArn) ? 'Enabled' : 'Disabled',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      manager: 'CUSTOMER',
    }),
    mayGenerate: async (keyArn, context) => {
      if (this.isUsable(keyArn)) return this.#isAllowed(keyArn, context);
      throw new VaultError('key_unavailable', 'The key is disabled.');
    },
  };
  readonly #keys: MemoryKeys;
  readonly #evidence: Evidence;
  readonly #now: () => number;
  /** By key, the workspace whose values it may wrap; keys of the vault's own are not among them. */
  readonly #owners = new Map<string, string>();

  constructor(random: SeededRandom, evidence: Evidence, now: () => number) {
    this.#keys = new MemoryKeys(KEK, random);
    this.#evidence = evidence;
    this.#now = now;
  }

  give(keyArn: string, workspaceId: string): void {
    this.#owners.set(keyArn, workspaceId);
  }

  isUsable(keyArn: string): boolean {
    return !this.#keys.unusable.has(keyArn);
  }

  /** Whether the policy of a key lets the vault use it in this context. */
  #isAllowed(keyArn: string, context: { readonly [key: string]: string }): boolean {
    const owner = this.#owners.get(keyArn);
    const isValue = Object.keys(context).sort().join() === 'secretId,version,workspaceId';
    return owner === undefined || (isValue && context['workspaceId'] === owner);
  }

  disable(keyArn: string): void {
    if (!this.isUsable(keyArn)) return;
    this.#keys.unusable.add(keyArn);
    this.#evidence.outages.push({ keyArn, from: this.#now(), until: FOREVER });
  }

  enable(keyArn: string): void {
    this.#keys.unusable.delete(keyArn);
    const outage = this.#evidence.outages.find((one) => one.keyArn === keyArn && one.until === FOREVER);
    if (outage !== undefined) outage.until = this.#now();
  }

  async generateDataKey(keyArn: string, context: EncryptionContext): Promise<DataKey> {
    this.#demandAllowed(keyArn, context);
    const dataKey = await this.#keys.generateDataKey(keyArn, context);
    this.#evidence.dataKeys.push(Buffer.from(dataKey.plaintext));
    return dataKey;
  }

  async decrypt(wrapped: Uint8Array, keyArn: string, context: EncryptionContext): Promise<UnwrappedKey> {
    try {
      this.#demandAllowed(keyArn, context);
    } catch (error) {
      throw error instanceof VaultError ? new OpeningFailed(error, 1) : error;
    }
    const unwrapped = await this.#keys.decrypt(wrapped, keyArn, context);
    this.#evidence.dataKeys.push(Buffer.from(unwrapped.plaintext));
    return unwrapped;
  }

  async reEncrypt(
    wrapped: Uint8Array,
    keys: { readonly from: string; readonly to: string },
    context: EncryptionContext,
  ): Promise<Uint8Array> {
    for (const keyArn of [keys.from, keys.to]) this.#demandAllowed(keyArn, context);
    return this.#keys.reEncrypt(wrapped, keys, context);
  }

  /** A vault that asks for this has mistaken one tenant for another. */
  #demandAllowed(keyArn: string, context: EncryptionContext): void {
    if (this.#isAllowed(keyArn, context)) return;
    this.#evidence.complaints.push(`I5: the key ${keyArn} was to serve ${JSON.stringify(context)}`);
    throw new VaultError('key_unavailable', 'The policy of the key does not allow this.');
  }
}
