import { randomBytes } from 'node:crypto';
import {
  type JsonInput,
  optionalInteger,
  optionalString,
  requireBlob,
  requireString,
} from '../json-protocol.ts';
import { AwsError } from '../stand-in.ts';
import { type EncryptionContext, open, seal } from './ciphertext.ts';
import { type KeyRecord, materialOf } from './keys.ts';
import type { PermittedKeys } from './permitted-keys.ts';

export const SYMMETRIC_ALGORITHM = 'SYMMETRIC_DEFAULT';
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;

export function generateDataKey(keys: PermittedKeys, input: JsonInput): JsonInput {
  const { key, context } = encryptingKey(keys, input, 'GenerateDataKey');
  const plaintext = randomBytes(dataKeyLength(input));
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    CiphertextBlob: sealWith(key, context, plaintext),
  };
}

/** Bytes of the data key: the caller gives either KeySpec or NumberOfBytes (1 to 1024). */
function dataKeyLength(input: JsonInput): number {
  const spec = optionalString(input, 'KeySpec');
  const bytes = optionalInteger(input, 'NumberOfBytes', 1, 1024);
  if (spec === undefined && bytes !== undefined) return bytes;
  if (spec === 'AES_256' && bytes === undefined) return 32;
  if (spec === 'AES_128' && bytes === undefined) return 16;
  throw new AwsError(
    'ValidationException',
    'Give KeySpec AES_256 or AES_128, or NumberOfBytes, but not both.',
  );
}

export function encrypt(keys: PermittedKeys, input: JsonInput): JsonInput {
  const { key, context } = encryptingKey(keys, input, 'Encrypt');
  const plaintext = requireBlob(input, 'Plaintext', MAX_PLAINTEXT_BYTES);
  return {
    KeyId: key.arn,
    CiphertextBlob: sealWith(key, context, plaintext),
    EncryptionAlgorithm: SYMMETRIC_ALGORITHM,
  };
}

export function decrypt(keys: PermittedKeys, input: JsonInput): JsonInput {
  const context = contextIn(input, 'EncryptionContext');
  const named = optionalString(input, 'KeyId');
  const { key, plaintext } = openBlob(keys, input, named, { action: 'Decrypt', context });
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    EncryptionAlgorithm: SYMMETRIC_ALGORITHM,
  };
}

/** Two permissions, each with its own context: to take from the one key, and to give to the other. */
export function reEncrypt(keys: PermittedKeys, input: JsonInput): JsonInput {
  const destinationContext = contextIn(input, 'DestinationEncryptionContext');
  const destination = keys.findUsable(requireString(input, 'DestinationKeyId'), 'ENCRYPT_DECRYPT', {
    action: 'ReEncryptTo',
    context: destinationContext,
  });
  const source = openBlob(keys, input, optionalString(input, 'SourceKeyId'), {
    action: 'ReEncryptFrom',
    context: contextIn(input, 'SourceEncryptionContext'),
  });
  return {
    CiphertextBlob: sealWith(destination, destinationContext, source.plaintext),
    SourceKeyId: source.key.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: SYMMETRIC_ALGORITHM,
    DestinationEncryptionAlgorithm: SYMMETRIC_ALGORITHM,
  };
}

function encryptingKey(keys: PermittedKeys, input: JsonInput, action: string) {
  const context = contextIn(input, 'EncryptionContext');
  const key = keys.findUsable(requireString(input, 'KeyId'), 'ENCRYPT_DECRYPT', { action, context });
  return { key, context };
}

function openBlob(
  keys: PermittedKeys,
  input: JsonInput,
  named: string | undefined,
  use: { readonly action: string; readonly context: EncryptionContext },
) {
  const blob = requireBlob(input, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES);
  const key = keys.findMaker(blob, named, use);
  return { key, plaintext: open(materialOf(key), use.context, blob) };
}

function contextIn(input: JsonInput, name: string): EncryptionContext {
  const context = input[name] ?? {};
  const isMap = typeof context === 'object' && !Array.isArray(context);
  if (isMap && Object.values(context).every((value) => typeof value === 'string')) {
    return context as EncryptionContext;
  }
  throw new AwsError('ValidationException', `${name} must be a map of strings.`);
}

function sealWith(key: KeyRecord, context: EncryptionContext, plaintext: Buffer): string {
  return seal(key.keyId, materialOf(key), context, plaintext).toString('base64');
}
