import {
  type DataKey,
  type EncryptionContext,
  OpeningFailed,
  type UnwrappedKey,
} from '../../core/crypto/key-service.ts';
import type { CustomerKeys } from '../../core/encryption-keys/customer-keys.ts';
import type { KeyFacts, KeyInspector } from '../../core/encryption-keys/key-inspector.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import { MemoryKeys } from './memory-keys.ts';

export const CUSTOMER_ACCOUNT = '111122223333';

export const CUSTOMER_KEYS: CustomerKeys = {
  accounts: 'any',
  granted: [],
  users: {
    api: 'arn:aws:iam::000000000000:role/lockzero-test-api',
    rewrapper: 'arn:aws:iam::000000000000:role/lockzero-test-rewrapper',
    syncer: 'arn:aws:iam::000000000000:role/lockzero-test-syncer',
  },
};

export type KeyUse = 'DescribeKey' | 'GenerateDataKey' | 'Decrypt' | 'ReEncryptFrom' | 'ReEncryptTo';

/** What a key's policy lets the vault do. */
export type MemoryKeyPolicy = (use: KeyUse, context: Readonly<Record<string, string>>) => boolean;

/** The policy that the vault hands out: its context, of this workspace, and nothing else. */
export function boundTo(workspaceId: string): MemoryKeyPolicy {
  return (use, context) =>
    use === 'DescribeKey' ||
    (context['workspaceId'] === workspaceId &&
      Object.keys(context).sort().join() === 'secretId,version,workspaceId');
}

/** An ARN as a customer's key has it. */
export function customerKeyArn(
  number: number,
  { account = CUSTOMER_ACCOUNT, region = 'us-east-1' } = {},
): string {
  const digits = String(number).padStart(12, '0');
  return `arn:aws:kms:${region}:${account}:key/00000000-0000-4000-8000-${digits}`;
}

const FACTS: KeyFacts = {
  state: 'Enabled',
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
  manager: 'CUSTOMER',
};

interface CustomerKey {
  readonly policy: MemoryKeyPolicy;
  readonly facts: Partial<KeyFacts>;
}

/**
 * The vault's own keys, and besides them those of customers, whose policies are enforced. Of any other key it is as with
 * {@link MemoryKeys}: it works, though nobody can look at it.
 */
export class MemoryCustomerKeys extends MemoryKeys implements KeyInspector {
  readonly #customers = new Map<string, CustomerKey>();

  /** A key whose policy lets the vault in as wanted; once more to change its policy. */
  add(keyArn: string, policy: MemoryKeyPolicy, facts: Partial<KeyFacts> = {}): string {
    this.#customers.set(keyArn, { policy, facts });
    return keyArn;
  }

  /** A new key that is for this workspace alone. */
  newCustomerKey(workspaceId: string): string {
    return this.add(customerKeyArn(this.#customers.size + 1), boundTo(workspaceId));
  }

  async describe(keyArn: string): Promise<KeyFacts> {
    this.calls.push('describe');
    const key = this.#customers.get(keyArn);
    if (key === undefined || !key.policy('DescribeKey', {})) throw denied();
    return { ...FACTS, ...(this.unusable.has(keyArn) ? { state: 'Disabled' } : {}), ...key.facts };
  }

  async mayGenerate(keyArn: string, context: Readonly<Record<string, string>>): Promise<boolean> {
    this.calls.push('mayGenerate');
    // As KMS does: whoever is not let in is not told what else is wrong.
    if (!this.#lets(keyArn, 'GenerateDataKey', context)) return false;
    const { keySpec = FACTS.keySpec, state = FACTS.state } = this.#customers.get(keyArn)?.facts ?? {};
    const isUsable = !this.unusable.has(keyArn) && keySpec === FACTS.keySpec && state === FACTS.state;
    if (!isUsable) throw new VaultError('key_unavailable', 'The key cannot be used.');
    return true;
  }

  override async generateDataKey(keyArn: string, context: EncryptionContext): Promise<DataKey> {
    this.#demand(keyArn, 'GenerateDataKey', context);
    return super.generateDataKey(keyArn, context);
  }

  override async decrypt(
    wrapped: Uint8Array,
    keyArn: string,
    context: EncryptionContext,
  ): Promise<UnwrappedKey> {
    if (!this.#lets(keyArn, 'Decrypt', context)) throw new OpeningFailed(denied(), this.attempts);
    return super.decrypt(wrapped, keyArn, context);
  }

  override async reEncrypt(
    wrapped: Uint8Array,
    keys: { readonly from: string; readonly to: string },
    context: EncryptionContext,
  ): Promise<Uint8Array> {
    this.#demand(keys.from, 'ReEncryptFrom', context);
    this.#demand(keys.to, 'ReEncryptTo', context);
    return super.reEncrypt(wrapped, keys, context);
  }

  #demand(keyArn: string, use: KeyUse, context: EncryptionContext): void {
    if (!this.#lets(keyArn, use, context)) throw denied();
  }

  #lets(keyArn: string, use: KeyUse, context: Readonly<Record<string, string>>): boolean {
    return this.#customers.get(keyArn)?.policy(use, context) ?? true;
  }
}

function denied(): VaultError {
  return new VaultError('key_unavailable', 'The key does not let the vault in.');
}
