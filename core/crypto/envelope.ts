import { canonicalJson } from '../kernel/canonical-json.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Random } from '../kernel/ports.ts';
import { AeadError, NONCE_BYTES, open, seal } from './aead.ts';
import { type EncryptionContext, type KeyService, OpeningFailed } from './key-service.ts';

/** The format of {@link Envelope}; bound into the AAD, so that a later format cannot be passed off as this one. */
export const ENVELOPE_FORMAT = '1';

/** A value under its own data key, which is wrapped by a key-encryption key: all that is stored of it. */
export interface Envelope {
  readonly format: typeof ENVELOPE_FORMAT;
  readonly ciphertext: Uint8Array;
  readonly nonce: Uint8Array;
  readonly tag: Uint8Array;
  readonly wrappedKey: Uint8Array;
  readonly keyArn: string;
}

/** Which value it is: one version of one secret in one workspace. */
export interface ValueName {
  readonly workspaceId: string;
  readonly secretId: string;
  readonly version: number;
}

/**
 * Encrypts a value under a fresh data key (one call to the key service). As the key encrypts nothing else, its
 * nonce cannot repeat. The plaintext key is zeroed whatever happens; zeroing `plaintext` is its owner's to do.
 *
 * @param keyArn the key-encryption key that wraps the data key.
 * @throws VaultError `key_unavailable`, which names the key; `unavailable`.
 */
export async function sealValue(
  parts: { readonly keys: Pick<KeyService, 'generateDataKey'>; readonly random: Random },
  keyArn: string,
  name: ValueName,
  plaintext: Uint8Array,
): Promise<Envelope> {
  const dataKey = await parts.keys
    .generateDataKey(keyArn, encryptionContext(name))
    .catch((error: unknown) => {
      throw named(error, keyArn);
    });
  try {
    const nonce = parts.random.bytes(NONCE_BYTES);
    const { ciphertext, tag } = seal(dataKey.plaintext, nonce, valueAad(name), plaintext);
    return {
      format: ENVELOPE_FORMAT,
      ciphertext,
      nonce,
      tag,
      wrappedKey: dataKey.wrapped,
      keyArn: dataKey.keyArn,
    };
  } finally {
    dataKey.plaintext.fill(0);
  }
}

/** An unusable key by its name, so that whoever records the failure can say which one it was. */
function named(error: unknown, keyArn: string): unknown {
  if (!(error instanceof VaultError) || error.code !== 'key_unavailable') return error;
  const { code, message, retryAfter } = error;
  return new VaultError(code, message, {
    cause: error,
    keyArn,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

export interface OpenedValue {
  /** Zeroing it is the caller's to do. */
  readonly plaintext: Buffer;
  /** As in `UnwrappedKey`. */
  readonly attempts: number;
}

/**
 * Decrypts a value (one call to the key service, unless that has to be repeated).
 *
 * @throws OpeningFailed `internal` when the stored value does not authenticate as this version of this secret.
 */
export async function openValue(
  keys: Pick<KeyService, 'decrypt'>,
  name: ValueName,
  envelope: Envelope,
): Promise<OpenedValue> {
  const { plaintext: key, attempts } = await keys.decrypt(
    envelope.wrappedKey,
    envelope.keyArn,
    encryptionContext(name),
  );
  try {
    return { plaintext: open(key, envelope.nonce, valueAad(name), envelope), attempts };
  } catch (cause) {
    if (!(cause instanceof AeadError)) throw cause;
    const detail = 'The stored value is damaged and was not revealed. Tell your operator.';
    throw new OpeningFailed(new VaultError('internal', detail, { cause }), attempts);
  } finally {
    key.fill(0);
  }
}

/**
 * The same envelope with its data key under another key-encryption key (one call to the key service). Nothing is opened:
 * ciphertext, nonce and tag stay as they are, and so does what they authenticate.
 */
export async function rewrapValue<E extends Envelope>(
  keys: Pick<KeyService, 'reEncrypt'>,
  name: ValueName,
  envelope: E,
  keyArn: string,
): Promise<E> {
  const wrappedKey = await keys.reEncrypt(
    envelope.wrappedKey,
    { from: envelope.keyArn, to: keyArn },
    encryptionContext(name),
  );
  return { ...envelope, wrappedKey, keyArn };
}

/** The additional authenticated data: the canonical JSON of the value's name and format, all strings. */
export function valueAad(name: ValueName): Uint8Array {
  return Buffer.from(canonicalJson({ f: ENVELOPE_FORMAT, ...encryptionContext(name) }), 'utf8');
}

export function encryptionContext({ workspaceId, secretId, version }: ValueName): EncryptionContext {
  return { secretId, version: String(version), workspaceId };
}
