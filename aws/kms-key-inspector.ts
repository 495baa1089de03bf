import { DescribeKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { KeyInspector } from '../core/encryption-keys/key-inspector.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';
import { kmsError, unexpectedReply } from './kms-errors.ts';

/** The `KeyInspector` port on AWS KMS. */
export function createKmsKeyInspector(
  client: Pick<KMSClient, 'send'> = new KMSClient(CLIENT_CONFIG),
): KeyInspector {
  return {
    async describe(keyArn) {
      const reply = await client.send(new DescribeKeyCommand({ KeyId: keyArn })).catch((cause) => {
        throw kmsError(cause);
      });
      const { Arn, KeyState, KeySpec, KeyUsage, KeyManager } = reply.KeyMetadata ?? {};
      const isWhole = KeyState !== undefined && KeySpec !== undefined && KeyUsage !== undefined;
      if (Arn !== keyArn || !isWhole || KeyManager === undefined) throw unexpectedReply();
      return { state: KeyState, keySpec: KeySpec, keyUsage: KeyUsage, manager: KeyManager };
    },

    async mayGenerate(keyArn, context) {
      const command = new GenerateDataKeyCommand({
        KeyId: keyArn,
        KeySpec: 'AES_256',
        EncryptionContext: { ...context },
      });
      try {
        const { Plaintext } = await client.send(command);
        Plaintext?.fill(0);
        return true;
      } catch (cause) {
        if (errorName(cause) === 'AccessDeniedException') return false;
        throw kmsError(cause);
      }
    },
  };
}
