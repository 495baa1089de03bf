import { DecryptCommand, GenerateDataKeyCommand, KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import { KEY_BYTES } from '../core/crypto/aead.ts';
import { type EncryptionContext, type KeyService, OpeningFailed } from '../core/crypto/key-service.ts';
import { unavailable, VaultError } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';

/** The `KeyService` port on AWS KMS. */
export function createKmsKeys(client: Pick<KMSClient, 'send'> = new KMSClient(CLIENT_CONFIG)): KeyService {
  return {
    async generateDataKey(keyArn, context) {
      const command = new GenerateDataKeyCommand({
        KeyId: keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: plain(context),
      });
      const reply = await client.send(command).catch((cause) => {
        throw translated(cause);
      });
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
      const reply = await client.send(command).catch((cause) => {
        throw new OpeningFailed(translated(cause), attemptsOf(cause));
      });
      const { KeyId: usedKey, Plaintext: plaintext } = reply;
      const attempts = attemptsOf(reply);
      if (usedKey !== wrappedBy || plaintext?.length !== KEY_BYTES)
        throw new OpeningFailed(unexpectedReply(plaintext), attempts);
      return { plaintext, attempts };
    },

    async reEncrypt(wrapped, { from, to }, context) {
      const command = new ReEncryptCommand({
        CiphertextBlob: wrapped,
        SourceKeyId: from,
        SourceEncryptionContext: plain(context),
        DestinationKeyId: to,
        DestinationEncryptionContext: plain(context),
      });
      const reply = await client.send(command).catch((cause) => {
        throw translated(cause);
      });
      if (reply.SourceKeyId !== from || reply.KeyId !== to || reply.CiphertextBlob === undefined) {
        throw unexpectedReply(undefined);
      }
      return reply.CiphertextBlob;
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

function translated(cause: unknown): VaultError {
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

/** How often the SDK sent a request, as it says in answers and errors alike. */
function attemptsOf(answer: { readonly $metadata?: { readonly attempts?: number } }): number {
  return answer.$metadata?.attempts ?? 1;
}

function unexpectedReply(plaintext: Uint8Array | undefined): VaultError {
  plaintext?.fill(0);
  return unavailable('The key service gave an unexpected answer, which was not used. Try again.');
}
