import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type JsonInput, optionalString, requireBlob, requireString } from '../json-protocol.ts';
import { AwsError } from '../stand-in.ts';
import { type KeyRecord, materialOf } from './keys.ts';
import type { PermittedKeys } from './permitted-keys.ts';

export const SIGNING_ALGORITHM = 'ED25519_SHA_512';
const MAX_MESSAGE_BYTES = 4096;

/** What precedes the 32 bytes of a seed in the DER of an Ed25519 private key (PKCS #8; RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export function signMessage(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.findUsable(requireString(input, 'KeyId'), 'SIGN_VERIFY', { action: 'Sign' });
  const algorithm = requireString(input, 'SigningAlgorithm');
  if (algorithm !== SIGNING_ALGORITHM) {
    throw new AwsError('InvalidKeyUsageException', `${key.arn} signs with ${SIGNING_ALGORITHM} only.`);
  }
  const messageType = optionalString(input, 'MessageType') ?? 'RAW';
  if (messageType !== 'RAW') {
    throw new AwsError('ValidationException', `${SIGNING_ALGORITHM} takes messages of the type RAW only.`);
  }
  const signature = sign(null, requireBlob(input, 'Message', MAX_MESSAGE_BYTES), privateKeyOf(key));
  return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm: algorithm };
}

export function getPublicKey(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.findUsable(requireString(input, 'KeyId'), 'SIGN_VERIFY', { action: 'GetPublicKey' });
  const publicKeyInfo = createPublicKey(privateKeyOf(key)).export({ format: 'der', type: 'spki' });
  return {
    KeyId: key.arn,
    PublicKey: publicKeyInfo.toString('base64'),
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    KeyUsage: key.keyUsage,
    SigningAlgorithms: [SIGNING_ALGORITHM],
  };
}

function privateKeyOf(key: KeyRecord): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, materialOf(key)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
