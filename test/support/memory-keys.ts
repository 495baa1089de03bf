import { NONCE_BYTES, open, seal, TAG_BYTES } from '../../core/crypto/aead.ts';
import {
  type DataKey,
  type EncryptionContext,
  type KeyService,
  OpeningFailed,
  type UnwrappedKey,
} from '../../core/crypto/key-service.ts';
import { canonicalJson } from '../../core/kernel/canonical-json.ts';
import { VaultError } from '../../core/kernel/errors.ts';
import type { Random } from '../../core/kernel/ports.ts';

/**
 * A key service that really wraps: a wrapped key is nonce, tag and ciphertext of the data key, AES-256-GCM under one
 * key-encryption key with the canonical encryption context as AAD.
 */
export class MemoryKeys implements KeyService {
  readonly keyArn = 'arn:aws:kms:us-east-1:000000000000:key/values';
  /** The calls so far, by name. */
  readonly calls: string[] = [];
  /** Every plaintext key that was handed out: the very array, so that a test sees whether it was zeroed. */
  readonly handedOut: Uint8Array[] = [];
  /** How often each decryption has to be asked for from now on. */
  attempts = 1;
  /** Told of each decryption as often as it was carried out: what the service's own log would show. */
  log: (context: EncryptionContext) => void = () => undefined;
  readonly #kek: Uint8Array;
  readonly #random: Random;

  constructor(kek: Uint8Array, random: Random) {
    this.#kek = kek;
    this.#random = random;
  }

  async generateDataKey(context: EncryptionContext): Promise<DataKey> {
    this.calls.push('generateDataKey');
    const plaintext = this.#random.bytes(32);
    const nonce = this.#random.bytes(NONCE_BYTES);
    const { ciphertext, tag } = seal(this.#kek, nonce, Buffer.from(canonicalJson(context)), plaintext);
    this.handedOut.push(plaintext);
    return { plaintext, wrapped: Buffer.concat([nonce, tag, ciphertext]), keyArn: this.keyArn };
  }

  async decrypt(wrapped: Uint8Array, keyArn: string, context: EncryptionContext): Promise<UnwrappedKey> {
    this.calls.push('decrypt');
    const { attempts } = this;
    if (keyArn !== this.keyArn)
      throw new OpeningFailed(new VaultError('key_unavailable', 'There is no such key.'), attempts);
    const nonce = wrapped.subarray(0, NONCE_BYTES);
    const tag = wrapped.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const ciphertext = wrapped.subarray(NONCE_BYTES + TAG_BYTES);
    try {
      const key = open(this.#kek, nonce, Buffer.from(canonicalJson(context)), { ciphertext, tag });
      this.handedOut.push(key);
      for (let attempt = 1; attempt <= attempts; attempt += 1) this.log(context);
      return { plaintext: key, attempts };
    } catch (cause) {
      const error = new VaultError('key_unavailable', 'The key does not fit the ciphertext.', { cause });
      throw new OpeningFailed(error, attempts);
    }
  }
}
