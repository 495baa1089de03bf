import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { KEY_BYTES } from '../core/crypto/aead.ts';
import type { EncryptionContext, KeyService } from '../core/crypto/key-service.ts';
import { unavailable, VaultError } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';

/** The `KeyService` port on AWS KMS. `keyArn` is the key that wraps new data keys. */
export function createKmsKeys(
  keyArn: string,
  client: Pick<KMSClient, 'send'> = new KMSClient(CLIENT_CONFIG),
): KeyService {
  return {
    async generateDataKey(context) {
      const command = new GenerateDataKeyCommand({
        KeyId: keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: plain(context),
      });
      const reply = await translated(client.send(command));
      const { Plaintext: plaintext, CiphertextBlob: wrapped } = reply;
      if (reply.KeyId !== keyArn || wrapped === undefined || plaintext?.length !== KEY_BYTES) {
        throw unexpectedReply(plaintext);
      }
      return { plaintext, wrapped, keyArn };
    },

    async decrypt(wrapped, wrappedBy, context) {
      // Naming the key makes KMS refuse a blob that another key wrapped, which it would find by itself otherwise.
      const command = new DecryptCommand({
        CiphertextBlob: wrapped,
        KeyId: wrappedBy,
        EncryptionContext: plain(context),
      });
      const { KeyId: usedKey, Plaintext: plaintext } = await translated(client.send(command));
      if (usedKey !== wrappedBy || plaintext?.length !== KEY_BYTES) throw unexpectedReply(plaintext);
      return plaintext;
    },
  };
}

function plain(context: EncryptionContext): Record<string, string> {
  return { ...context };
}

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

/** Errors that mean: the wrapped key is not what was stored. */
const DAMAGE_ERRORS: ReadonlySet<string> = new Set(['IncorrectKeyException', 'InvalidCiphertextException']);

async function translated<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (cause) {
    const name = errorName(cause);
    if (KEY_ERRORS.has(name)) {
      const detail =
        'The encryption key cannot be used: it is disabled, deleted or access to it was withdrawn.';
      throw new VaultError('key_unavailable', detail, { cause, retryAfter: 30 });
    }
    if (DAMAGE_ERRORS.has(name)) {
      throw new VaultError(
        'internal',
        'The stored value is damaged and was not revealed. Tell your operator.',
        { cause },
      );
    }
    throw unavailable('The key service does not answer right now. Try again.', cause);
  }
}

function unexpectedReply(plaintext: Uint8Array | undefined): VaultError {
  plaintext?.fill(0);
  return unavailable('The key service gave an unexpected answer, which was not used. Try again.');
}
