import { VaultError } from '../kernel/errors.ts';

/** What a key-encryption key is bound to when it wraps a data key: authenticated by KMS and shown in CloudTrail. */
export type EncryptionContext = {
  readonly secretId: string;
  readonly version: string;
  readonly workspaceId: string;
};

export interface DataKey {
  /** 32 bytes; the caller zeroes them after use. */
  readonly plaintext: Uint8Array;
  /** The same key, wrapped. */
  readonly wrapped: Uint8Array;
  /** The ARN of the key-encryption key that wrapped it. */
  readonly keyArn: string;
}

export interface UnwrappedKey {
  /** 32 bytes; the caller zeroes them after use. */
  readonly plaintext: Uint8Array;
  /** How often the service was asked: 1, unless it had to be asked again. Its own log may have a call for each. */
  readonly attempts: number;
}

/** A value was not opened. Any attempt may have been carried out all the same, with only its answer lost. */
export class OpeningFailed extends VaultError {
  readonly attempts: number;

  constructor({ code, message, cause, retryAfter }: VaultError, attempts: number) {
    super(code, message, { cause, ...(retryAfter === undefined ? {} : { retryAfter }) });
    this.attempts = attempts;
  }
}

/**
 * The service that holds key-encryption keys and never lets them out (AWS KMS).
 *
 * @throws VaultError `key_unavailable` when the key is disabled, deleted, denied or does not fit the ciphertext;
 * `unavailable` when the service does not answer or throttles. {@link OpeningFailed} where it was to decrypt.
 */
export interface KeyService {
  /** A fresh AES-256 data key, wrapped by this key-encryption key. */
  generateDataKey(keyArn: string, context: EncryptionContext): Promise<DataKey>;
  /** The plaintext of a wrapped data key. */
  decrypt(wrapped: Uint8Array, keyArn: string, context: EncryptionContext): Promise<UnwrappedKey>;
  /**
   * The same data key wrapped by another key-encryption key, in the same context. It is unwrapped and wrapped within the
   * service: no plaintext comes out (KMS API Reference, "ReEncrypt").
   */
  reEncrypt(
    wrapped: Uint8Array,
    keys: { readonly from: string; readonly to: string },
    context: EncryptionContext,
  ): Promise<Uint8Array>;
}
