import { createHash } from 'node:crypto';
import { NONCE_BYTES, open, seal, TAG_BYTES } from '../../core/crypto/aead.ts';
import {
  type DataKey,
  type EncryptionContext,
  type KeyService,
  OpeningFailed,
  type UnwrappedKey,
} from '../../core/crypto/key-service.ts';
import type { DeploymentKeys } from '../../core/encryption-keys/wrapping-key.ts';
import { canonicalJson } from '../../core/kernel/canonical-json.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import type { Random } from '../../core/kernel/ports.ts';

export const VAULT_KEY_ARN = 'arn:aws:kms:us-east-1:000000000000:key/values';

/** A deployment with this one key of its own. */
export function keysOfDeployment(own: string = VAULT_KEY_ARN): DeploymentKeys {
  return { own, values: own, allOwn: [own] };
}

/**
 * A key service that really wraps: a wrapped key is nonce, tag and ciphertext of the data key, AES-256-GCM under its
 * key-encryption key with the canonical encryption context as AAD. There are as many keys as are named; each has
 * material of its own, and each can be taken away and given back.
 */
export class MemoryKeys implements KeyService {
  /** The vault's own key. */
  readonly keyArn = VAULT_KEY_ARN;
  /** The calls so far, by name. */
  readonly calls: string[] = [];
  /** Every plaintext key that was handed out: the very array, so that a test sees whether it was zeroed. */
  readonly handedOut: Uint8Array[] = [];
  /** Keys that nobody can use at present: disabled, deleted or withdrawn. */
  readonly unusable = new Set<string>();
  /** How often each decryption has to be asked for from now on. */
  attempts = 1;
  /** Told of each decryption as often as it was carried out: what the service's own log would show. */
  log: (context: EncryptionContext) => void = () => undefined;
  /** Told of each key that was wrapped anew, likewise. */
  logReEncrypt: (keys: { readonly from: string; readonly to: string }, context: EncryptionContext) => void =
    () => undefined;
  readonly #kek: Uint8Array;
  readonly #random: Random;

  constructor(kek: Uint8Array, random: Random) {
    this.#kek = kek;
    this.#random = random;
  }

  async generateDataKey(keyArn: string, context: EncryptionContext): Promise<DataKey> {
    this.calls.push('generateDataKey');
    this.#demandUsable(keyArn);
    const plaintext = this.#random.bytes(32);
    this.handedOut.push(plaintext);
    return { plaintext, wrapped: this.#wrap(keyArn, context, plaintext), keyArn };
  }

  async decrypt(wrapped: Uint8Array, keyArn: string, context: EncryptionContext): Promise<UnwrappedKey> {
    this.calls.push('decrypt');
    const { attempts } = this;
    try {
      this.#demandUsable(keyArn);
      const key = this.#unwrap(keyArn, context, wrapped);
      this.handedOut.push(key);
      for (let attempt = 1; attempt <= attempts; attempt += 1) this.log(context);
      return { plaintext: key, attempts };
    } catch (cause) {
      if (cause instanceof VaultError) throw new OpeningFailed(cause, attempts);
      throw cause;
    }
  }

  async reEncrypt(
    wrapped: Uint8Array,
    { from, to }: { readonly from: string; readonly to: string },
    context: EncryptionContext,
  ): Promise<Uint8Array> {
    this.calls.push('reEncrypt');
    this.#demandUsable(from);
    this.#demandUsable(to);
    const moved = this.#wrap(to, context, this.#unwrap(from, context, wrapped));
    this.logReEncrypt({ from, to }, context);
    return moved;
  }

  #demandUsable(keyArn: string): void {
    if (this.unusable.has(keyArn)) throw new VaultError('key_unavailable', 'The key cannot be used.');
  }

  #wrap(keyArn: string, context: EncryptionContext, plaintext: Uint8Array): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const aad = Buffer.from(canonicalJson(context));
    const { ciphertext, tag } = seal(this.#material(keyArn), nonce, aad, plaintext);
    return Buffer.concat([nonce, tag, ciphertext]);
  }

  #unwrap(keyArn: string, context: EncryptionContext, wrapped: Uint8Array): Uint8Array {
    const nonce = wrapped.subarray(0, NONCE_BYTES);
    const tag = wrapped.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const ciphertext = wrapped.subarray(NONCE_BYTES + TAG_BYTES);
    try {
      const aad = Buffer.from(canonicalJson(context));
      return open(this.#material(keyArn), nonce, aad, { ciphertext, tag });
    } catch (cause) {
      throw new VaultError('key_unavailable', 'The key does not fit the ciphertext.', { cause });
    }
  }

  #material(keyArn: string): Uint8Array {
    return keyArn === this.keyArn
      ? this.#kek
      : createHash('sha256').update(this.#kek).update(keyArn).digest();
  }
}
