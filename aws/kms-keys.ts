import { DecryptCommand, GenerateDataKeyCommand, KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import { KEY_BYTES } from '../core/crypto/aead.ts';
import { type EncryptionContext, type KeyService, OpeningFailed } from '../core/crypto/key-service.ts';
import { CLIENT_CONFIG } from './clients.ts';
import { kmsError, unexpectedReply } from './kms-errors.ts';

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
        throw kmsError(cause);
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
        throw new OpeningFailed(kmsError(cause), attemptsOf(cause));
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
        throw kmsError(cause);
      });
      if (reply.SourceKeyId !== from || reply.KeyId !== to || reply.CiphertextBlob === undefined) {
        throw unexpectedReply();
      }
      return reply.CiphertextBlob;
    },
  };
}

function plain(context: EncryptionContext): Record<string, string> {
  return { ...context };
}

/** How often the SDK sent a request, as it says in answers and errors alike. */
function attemptsOf(answer: { readonly $metadata?: { readonly attempts?: number } }): number {
  return answer.$metadata?.attempts ?? 1;
}
