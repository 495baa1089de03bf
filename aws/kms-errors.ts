import { unavailable, VaultError } from '../core/kernel/errors.ts';
import { errorName } from './clients.ts';

/** Errors that mean: this key cannot be used, whatever one retries. See the KMS API Reference, "Decrypt". */
const KEY_ERRORS: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'DisabledException',
  'InvalidGrantTokenException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
  'KeyUnavailableException',
  'NotFoundException',
]);

/**
 * Errors that mean: the wrapped key, or the name of the key that wrapped it, is not what was stored. The last two are for
 * what can be neither, such as a blob of no bytes: asking again would never help.
 */
const DAMAGE_ERRORS: ReadonlySet<string> = new Set([
  'IncorrectKeyException',
  'InvalidCiphertextException',
  'InvalidArnException',
  'ValidationException',
]);

/** An error of KMS as one of the vault's, with its cause and without its message: that names principals and keys. */
export function kmsError(cause: unknown): VaultError {
  const name = errorName(cause);
  if (KEY_ERRORS.has(name)) {
    const detail =
      'The encryption key cannot be used: it is disabled, deleted or access to it was withdrawn.';
    return new VaultError('key_unavailable', detail, { cause, retryAfter: 30 });
  }
  if (DAMAGE_ERRORS.has(name)) {
    const detail = 'The stored value is damaged and was not revealed. Tell your operator.';
    return new VaultError('internal', detail, { cause });
  }
  return unavailable('The key service does not answer right now. Try again.', cause);
}

/** For an answer that is not what was asked for; a data key in it is zeroed. */
export function unexpectedReply(plaintext?: Uint8Array): VaultError {
  plaintext?.fill(0);
  return unavailable('The key service gave an unexpected answer, which was not used. Try again.');
}
