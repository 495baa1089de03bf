import { randomBytes } from 'node:crypto';
import {
  type JsonInput,
  optionalInteger,
  optionalString,
  requireBlob,
  requireString,
  serveJsonProtocol,
  toEpochSeconds,
} from '../json-protocol.ts';
import { AwsError, type StandIn } from '../stand-in.ts';
import { type EncryptionContext, invalidCiphertext, keyIdOf, open, seal } from './ciphertext.ts';
import {
  KEY_USAGES,
  type KeyRecord,
  type KeyRing,
  type KeySpec,
  type KmsOptions,
  keyState,
  materialOf,
  openKeyRing,
} from './keys.ts';
import { getPublicKey, SIGNING_ALGORITHM, signMessage } from './signing.ts';

const ALGORITHM = 'SYMMETRIC_DEFAULT';
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;
const DAY_MS = 86_400_000;

/** A stand-in for AWS KMS with symmetric keys and Ed25519 keys, which keeps them in one file and enforces their states. */
export function createKms(options: KmsOptions): StandIn {
  const keys = openKeyRing(options);
  return serveJsonProtocol('TrentService', {
    CreateKey: (input) => ({ KeyMetadata: describe(createKey(keys, input)) }),
    DescribeKey: (input) => ({ KeyMetadata: describe(keys.find(keyIdIn(input))) }),
    ListKeys: () => ({
      Keys: keys.list().map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })),
      Truncated: false,
    }),
    GenerateDataKey: (input) => generateDataKey(keys, input),
    Encrypt: (input) => encrypt(keys, input),
    Decrypt: (input) => decrypt(keys, input),
    ReEncrypt: (input) => reEncrypt(keys, input),
    Sign: (input) => signMessage(keys, input),
    GetPublicKey: (input) => getPublicKey(keys, input),
    EnableKey: (input) => setEnabled(keys, input, true),
    DisableKey: (input) => setEnabled(keys, input, false),
    ScheduleKeyDeletion: (input) => scheduleDeletion(keys, input, options.now()),
    CancelKeyDeletion: (input) => cancelDeletion(keys, input),
  });
}

function createKey(keys: KeyRing, input: JsonInput): KeyRecord {
  const spec =
    optionalString(input, 'KeySpec') ?? optionalString(input, 'CustomerMasterKeySpec') ?? ALGORITHM;
  const usage = optionalString(input, 'KeyUsage') ?? 'ENCRYPT_DECRYPT';
  if (!isKeySpec(spec)) {
    const known = Object.keys(KEY_USAGES).join(' and ');
    throw new AwsError('UnsupportedOperationException', `This stand-in makes ${known} keys only.`);
  }
  if (usage !== KEY_USAGES[spec]) {
    throw new AwsError('ValidationException', `KeyUsage must be ${KEY_USAGES[spec]} for a ${spec} key.`);
  }
  return keys.create(spec, optionalString(input, 'Description') ?? '');
}

function isKeySpec(spec: string): spec is KeySpec {
  return Object.hasOwn(KEY_USAGES, spec);
}

function generateDataKey(keys: KeyRing, input: JsonInput): JsonInput {
  const key = keys.findUsable(keyIdIn(input), 'ENCRYPT_DECRYPT');
  const plaintext = randomBytes(dataKeyLength(input));
  return {
    KeyId: key.arn,
    Plaintext: plaintext.toString('base64'),
    CiphertextBlob: sealWith(key, contextIn(input, 'EncryptionContext'), plaintext),
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

function encrypt(keys: KeyRing, input: JsonInput): JsonInput {
  const key = keys.findUsable(keyIdIn(input), 'ENCRYPT_DECRYPT');
  const plaintext = requireBlob(input, 'Plaintext', MAX_PLAINTEXT_BYTES);
  return {
    KeyId: key.arn,
    CiphertextBlob: sealWith(key, contextIn(input, 'EncryptionContext'), plaintext),
    EncryptionAlgorithm: ALGORITHM,
  };
}

function decrypt(keys: KeyRing, input: JsonInput): JsonInput {
  const context = contextIn(input, 'EncryptionContext');
  const { key, plaintext } = openBlob(keys, input, optionalString(input, 'KeyId'), context);
  return { KeyId: key.arn, Plaintext: plaintext.toString('base64'), EncryptionAlgorithm: ALGORITHM };
}

function reEncrypt(keys: KeyRing, input: JsonInput): JsonInput {
  const destination = keys.findUsable(requireString(input, 'DestinationKeyId'), 'ENCRYPT_DECRYPT');
  const sourceContext = contextIn(input, 'SourceEncryptionContext');
  const source = openBlob(keys, input, optionalString(input, 'SourceKeyId'), sourceContext);
  return {
    CiphertextBlob: sealWith(destination, contextIn(input, 'DestinationEncryptionContext'), source.plaintext),
    SourceKeyId: source.key.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: ALGORITHM,
    DestinationEncryptionAlgorithm: ALGORITHM,
  };
}

function openBlob(
  keys: KeyRing,
  input: JsonInput,
  expectedKey: string | undefined,
  context: EncryptionContext,
) {
  const blob = requireBlob(input, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES);
  const expected = expectedKey === undefined ? undefined : keys.findUsable(expectedKey, 'ENCRYPT_DECRYPT');
  const makerId = keyIdOf(blob);
  const maker = keys.list().find((key) => key.keyId === makerId);
  if (maker === undefined) throw invalidCiphertext();
  if (expected !== undefined && expected.keyId !== maker.keyId) {
    throw new AwsError(
      'IncorrectKeyException',
      'The key given is not the one that encrypted the ciphertext.',
    );
  }
  const key = keys.findUsable(maker.keyId, 'ENCRYPT_DECRYPT');
  return { key, plaintext: open(materialOf(key), context, blob) };
}

function setEnabled(keys: KeyRing, input: JsonInput, enabled: boolean): JsonInput {
  keys.save({ ...keys.findNotPendingDeletion(keyIdIn(input)), enabled });
  return {};
}

function scheduleDeletion(keys: KeyRing, input: JsonInput, now: number): JsonInput {
  const days = optionalInteger(input, 'PendingWindowInDays', 7, 30) ?? 30;
  const key = keys.findNotPendingDeletion(keyIdIn(input));
  const deletionDate = now + days * DAY_MS;
  keys.save({ ...key, deletionDate });
  return {
    KeyId: key.arn,
    DeletionDate: toEpochSeconds(deletionDate),
    KeyState: 'PendingDeletion',
    PendingWindowInDays: days,
  };
}

/** A key that was saved from deletion is disabled, as on AWS: its owner enables it knowingly. */
function cancelDeletion(keys: KeyRing, input: JsonInput): JsonInput {
  const key = keys.find(keyIdIn(input));
  if (key.deletionDate === null) {
    throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
  }
  keys.save({ ...key, enabled: false, deletionDate: null });
  return { KeyId: key.arn };
}

function describe(key: KeyRecord): JsonInput {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: toEpochSeconds(key.createdAt),
    Enabled: keyState(key) === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: keyState(key),
    ...(key.deletionDate === null ? {} : { DeletionDate: toEpochSeconds(key.deletionDate) }),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    ...(key.keyUsage === 'SIGN_VERIFY'
      ? { SigningAlgorithms: [SIGNING_ALGORITHM] }
      : { EncryptionAlgorithms: [ALGORITHM] }),
    MultiRegion: false,
  };
}

function keyIdIn(input: JsonInput): string {
  return requireString(input, 'KeyId');
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
