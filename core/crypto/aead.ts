import { createCipheriv, createDecipheriv } from 'node:crypto';

/** AES-256-GCM (NIST SP 800-38D) with the one set of sizes that the vault uses, in bytes. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

const ALGORITHM = 'aes-256-gcm';

export interface Sealed {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** The ciphertext, nonce, AAD or key is not the one that was sealed, or a size is wrong. Says no more, on purpose. */
export class AeadError extends Error {
  override readonly name = 'AeadError';
}

/**
 * Encrypts and authenticates `plaintext`, and authenticates `aad` with it.
 *
 * A nonce must never repeat under one key: SP 800-38D section 8. Callers use a fresh key for each value, or a random
 * nonce for few short-lived ones.
 *
 * @throws AeadError when key or nonce are not of 32 and 12 bytes.
 */
export function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
  checkSizes(key, nonce);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return { ciphertext, tag: cipher.getAuthTag() };
}

/**
 * The plaintext of what {@link seal} made with the same key, nonce and AAD.
 *
 * @throws AeadError when anything differs by one bit; nothing of the plaintext is released then.
 */
export function open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Sealed): Buffer {
  checkSizes(key, nonce);
  // Node accepts shorter tags for GCM unless told otherwise, and a short tag is guessed sooner.
  if (sealed.tag.length !== TAG_BYTES) throw new AeadError('The authentication tag must have 16 bytes.');
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.tag);
  const released = decipher.update(sealed.ciphertext);
  try {
    return Buffer.concat([released, decipher.final()]);
  } catch (cause) {
    throw new AeadError('The ciphertext does not authenticate.', { cause });
  } finally {
    released.fill(0);
  }
}

function checkSizes(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new AeadError('The key must have 32 bytes.');
  if (nonce.length !== NONCE_BYTES) throw new AeadError('The nonce must have 12 bytes.');
}
