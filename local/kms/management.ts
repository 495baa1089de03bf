import {
  type JsonInput,
  optionalInteger,
  optionalString,
  requireString,
  toEpochSeconds,
} from '../json-protocol.ts';
import { AwsError } from '../stand-in.ts';
import type { Caller } from './caller.ts';
import { SYMMETRIC_ALGORITHM } from './encryption.ts';
import {
  isMultiRegion,
  KEY_USAGES,
  type KeyRecord,
  type KeySpec,
  keyState,
  notPendingDeletion,
} from './keys.ts';
import { type PermittedKeys, policyOf } from './permitted-keys.ts';
import { decide, readPolicy } from './policy.ts';
import { SIGNING_ALGORITHM } from './signing.ts';

const DAY_MS = 86_400_000;
/** The one name that a key policy has. */
const POLICY_NAME = 'default';
const ORIGIN = 'AWS_KMS';

/** The key is its maker's account's. */
export function createKey({ ring, caller }: PermittedKeys, input: JsonInput): JsonInput {
  const spec =
    optionalString(input, 'KeySpec') ?? optionalString(input, 'CustomerMasterKeySpec') ?? SYMMETRIC_ALGORITHM;
  const usage = optionalString(input, 'KeyUsage') ?? 'ENCRYPT_DECRYPT';
  if (!isKeySpec(spec)) {
    const known = Object.keys(KEY_USAGES).join(' and ');
    throw new AwsError('UnsupportedOperationException', `This stand-in makes ${known} keys only.`);
  }
  if (usage !== KEY_USAGES[spec]) {
    throw new AwsError('ValidationException', `KeyUsage must be ${KEY_USAGES[spec]} for a ${spec} key.`);
  }
  if ((optionalString(input, 'Origin') ?? ORIGIN) !== ORIGIN) {
    throw new AwsError(
      'UnsupportedOperationException',
      `This stand-in makes keys of the origin ${ORIGIN} only.`,
    );
  }
  const key = ring.create({
    accountId: caller.accountId,
    keySpec: spec,
    description: optionalString(input, 'Description') ?? '',
    multiRegion: input['MultiRegion'] === true,
    policy: input['Policy'] === undefined ? undefined : policyIn(caller, input),
  });
  return { KeyMetadata: metadataOf(key, ring.region) };
}

function isKeySpec(spec: string): spec is KeySpec {
  return Object.hasOwn(KEY_USAGES, spec);
}

export function describeKey(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.find(requireString(input, 'KeyId'), { action: 'DescribeKey' });
  return { KeyMetadata: metadataOf(key, keys.ring.region) };
}

export function listKeys({ ring, caller }: PermittedKeys): JsonInput {
  const list = ring.listOf(caller.accountId);
  return { Keys: list.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })), Truncated: false };
}

export function getKeyPolicy(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.findOwn(requireString(input, 'KeyId'), 'GetKeyPolicy');
  requirePolicyName(input);
  return { Policy: policyOf(key), PolicyName: POLICY_NAME };
}

/** In force at once. On AWS that takes a moment, up to some minutes. */
export function putKeyPolicy(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.findOwn(requireString(input, 'KeyId'), 'PutKeyPolicy');
  requirePolicyName(input);
  keys.ring.save({ ...key, policy: policyIn(keys.caller, input) });
  return {};
}

function requirePolicyName(input: JsonInput): void {
  if ((optionalString(input, 'PolicyName') ?? POLICY_NAME) === POLICY_NAME) return;
  throw new AwsError('NotFoundException', 'No such policy exists');
}

/** Refuses a policy by which the caller shuts out themselves, unless they insist. */
function policyIn({ accountId, principalArn }: Caller, input: JsonInput): string {
  const text = requireString(input, 'Policy');
  const request = { accountId, principalArn, action: 'kms:PutKeyPolicy', context: {} };
  const decision = decide(readPolicy(text), request);
  if (decision === 'allowed' || input['BypassPolicyLockoutSafetyCheck'] === true) return text;
  throw new AwsError(
    'MalformedPolicyDocumentException',
    'The new key policy will not allow you to update the key policy in the future.',
  );
}

export function setEnabled(keys: PermittedKeys, input: JsonInput, enabled: boolean): JsonInput {
  const action = enabled ? 'EnableKey' : 'DisableKey';
  const key = notPendingDeletion(keys.findOwn(requireString(input, 'KeyId'), action));
  keys.ring.save({ ...key, enabled });
  return {};
}

export function scheduleDeletion(keys: PermittedKeys, input: JsonInput): JsonInput {
  const days = optionalInteger(input, 'PendingWindowInDays', 7, 30) ?? 30;
  const key = notPendingDeletion(keys.findOwn(requireString(input, 'KeyId'), 'ScheduleKeyDeletion'));
  const deletionDate = keys.ring.now() + days * DAY_MS;
  keys.ring.save({ ...key, deletionDate });
  return {
    KeyId: key.arn,
    DeletionDate: toEpochSeconds(deletionDate),
    KeyState: 'PendingDeletion',
    PendingWindowInDays: days,
  };
}

/** A key that was saved from deletion is disabled, as on AWS: its owner enables it knowingly. */
export function cancelDeletion(keys: PermittedKeys, input: JsonInput): JsonInput {
  const key = keys.findOwn(requireString(input, 'KeyId'), 'CancelKeyDeletion');
  if (key.deletionDate === null) {
    throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
  }
  keys.ring.save({ ...key, enabled: false, deletionDate: null });
  return { KeyId: key.arn };
}

function metadataOf(key: KeyRecord, region: string): JsonInput {
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
    Origin: ORIGIN,
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    ...(key.keyUsage === 'SIGN_VERIFY'
      ? { SigningAlgorithms: [SIGNING_ALGORITHM] }
      : { EncryptionAlgorithms: [SYMMETRIC_ALGORITHM] }),
    MultiRegion: isMultiRegion(key),
    ...(isMultiRegion(key) ? { MultiRegionConfiguration: primary(key, region) } : {}),
  };
}

/** Of a multi-Region key without replicas. */
function primary({ arn }: KeyRecord, region: string): JsonInput {
  return {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: arn, Region: region },
    ReplicaKeys: [],
  };
}
