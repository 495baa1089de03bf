import { randomUUID } from 'node:crypto';
import {
  type JsonInput,
  type JsonOperation,
  optionalInteger,
  optionalString,
  requireString,
  serveJsonProtocol,
  toEpochSeconds,
} from '../json-protocol.ts';
import { openRecords } from '../json-records.ts';
import { AwsError, type StandIn } from '../stand-in.ts';
import { sessionCallerOf } from '../sts/session.ts';
import { arnFor, isThere, placeOf, type Secrets, secretsOf } from './secrets.ts';
import {
  addVersion,
  CURRENT,
  isSameWrite,
  moveLabel,
  type SecretRecord,
  type SecretVersion,
} from './versions.ts';

export interface SecretsManagerOptions {
  /** Where the secrets live, values included. */
  file: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  region: string;
  accountId: string;
}

/** The role that functions have, where none is named: callers of the vault's account all have the same rights here. */
const ANY_ROLE = 'vault';
const DAY_MS = 86_400_000;

/**
 * A stand-in for AWS Secrets Manager, which keeps secrets and their versions in one file. Each account and region has
 * secrets of its own. A session of a role may do what its policies allow.
 */
export function createSecretsManager(options: SecretsManagerOptions): StandIn {
  const records = openRecords<SecretRecord>(options.file, ({ arn, name }) => `${placeOf(arn)}${name}`);
  const on =
    (action: string, run: (secrets: Secrets, input: JsonInput) => JsonInput): JsonOperation =>
    (input, request) => {
      const caller = sessionCallerOf(request, { ...options, roleName: ANY_ROLE });
      const secrets = secretsOf(records, caller, options.now());
      caller.demand(`secretsmanager:${action}`, secrets.arnAsked(input));
      return run(secrets, input);
    };
  return serveJsonProtocol('secretsmanager', {
    CreateSecret: on('CreateSecret', createSecret),
    PutSecretValue: on('PutSecretValue', putSecretValue),
    GetSecretValue: on('GetSecretValue', getSecretValue),
    DescribeSecret: on('DescribeSecret', (secrets, input) => describe(secrets.find(input))),
    ListSecrets: on('ListSecrets', (secrets) => ({
      SecretList: secrets.all().filter(isThere).map(listEntry),
    })),
    DeleteSecret: on('DeleteSecret', deleteSecret),
    RestoreSecret: on('RestoreSecret', restoreSecret),
    TagResource: on('TagResource', tagResource),
    UpdateSecretVersionStage: on('UpdateSecretVersionStage', updateVersionStage),
  });
}

function createSecret(secrets: Secrets, input: JsonInput): JsonInput {
  const { now } = secrets;
  const name = requireString(input, 'Name');
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) {
    throw new AwsError(
      'ValidationException',
      'Name must have 1 to 512 characters of A-Z a-z 0-9 / _ + = . @ -',
    );
  }
  const version = hasValue(input) ? versionIn(input, now) : undefined;
  const known = secrets.get(name);
  if (known !== undefined && !isThere(known)) {
    throw new AwsError('InvalidRequestException', `A secret of the name ${name} is scheduled for deletion.`);
  }
  if (known !== undefined) {
    // The SDK repeats its token when it retries, so a lost answer to the first try is no conflict.
    if (version !== undefined && known.versions.some((other) => isSameWrite(other, version))) {
      return answer(known, version);
    }
    throw new AwsError('ResourceExistsException', `The secret ${name} already exists.`);
  }
  const secret: SecretRecord = {
    name,
    arn: arnFor(secrets.place, name),
    description: optionalString(input, 'Description') ?? null,
    kmsKeyId: optionalString(input, 'KmsKeyId') ?? null,
    createdAt: now,
    changedAt: now,
    versions: version === undefined ? [] : [version],
    tags: tagsIn(input),
    deletionDate: null,
  };
  secrets.put(secret);
  return answer(secret, version);
}

function putSecretValue(secrets: Secrets, input: JsonInput): JsonInput {
  const { now } = secrets;
  const secret = secrets.findThere(input);
  if (!hasValue(input)) {
    throw new AwsError('InvalidParameterException', 'Give either SecretString or SecretBinary.');
  }
  const version = versionIn(input, now);
  const changed = { ...secret, versions: addVersion(secret.versions, version), changedAt: now };
  secrets.put(changed);
  return { ...answer(changed, version), VersionStages: version.stages };
}

function getSecretValue(secrets: Secrets, input: JsonInput): JsonInput {
  const secret = secrets.findThere(input);
  const id = optionalString(input, 'VersionId');
  const stage = optionalString(input, 'VersionStage') ?? (id === undefined ? CURRENT : undefined);
  const version = secret.versions.find(
    (each) => (id === undefined || each.id === id) && (stage === undefined || each.stages.includes(stage)),
  );
  if (version === undefined) {
    throw new AwsError(
      'ResourceNotFoundException',
      `The secret ${secret.name} has no value for ${id === undefined ? `staging label ${stage}` : `version ${id}`}.`,
    );
  }
  return {
    ...answer(secret, version),
    ...(version.secretString === null ? {} : { SecretString: version.secretString }),
    ...(version.secretBinary === null ? {} : { SecretBinary: version.secretBinary }),
    VersionStages: version.stages,
    CreatedDate: toEpochSeconds(version.createdAt),
  };
}

/** Deletes at the end of the recovery window, or at once without one. */
function deleteSecret(secrets: Secrets, input: JsonInput): JsonInput {
  const secret = secrets.findThere(input);
  const isForced = input['ForceDeleteWithoutRecovery'] === true;
  const days = optionalInteger(input, 'RecoveryWindowInDays', 7, 30);
  if (isForced && days !== undefined) {
    throw new AwsError('InvalidParameterException', 'Give a recovery window, or delete by force, not both.');
  }
  const deletionDate = secrets.now + (isForced ? 0 : (days ?? 30) * DAY_MS);
  secrets.put({ ...secret, deletionDate });
  return { ...answer(secret, undefined), DeletionDate: toEpochSeconds(deletionDate) };
}

function restoreSecret(secrets: Secrets, input: JsonInput): JsonInput {
  const secret = secrets.find(input);
  secrets.put({ ...secret, deletionDate: null });
  return answer(secret, undefined);
}

function tagResource(secrets: Secrets, input: JsonInput): JsonInput {
  const secret = secrets.findThere(input);
  secrets.put({ ...secret, tags: { ...secret.tags, ...tagsIn(input) } });
  return {};
}

function updateVersionStage(secrets: Secrets, input: JsonInput): JsonInput {
  const secret = secrets.findThere(input);
  const label = requireString(input, 'VersionStage');
  const toId = optionalString(input, 'MoveToVersionId');
  const fromId = optionalString(input, 'RemoveFromVersionId');
  secrets.put({
    ...secret,
    versions: moveLabel(secret.versions, label, toId, fromId),
    changedAt: secrets.now,
  });
  return answer(secret, undefined);
}

function tagsIn(input: JsonInput): Record<string, string> {
  const tags = input['Tags'] ?? [];
  if (!Array.isArray(tags)) throw new AwsError('ValidationException', 'Tags must be a list.');
  return Object.fromEntries(
    tags.map((tag: JsonInput) => [requireString(tag, 'Key'), optionalString(tag, 'Value') ?? '']),
  );
}

function hasValue(input: JsonInput): boolean {
  const text = optionalString(input, 'SecretString');
  const binary = optionalString(input, 'SecretBinary');
  if (text !== undefined && binary !== undefined) {
    throw new AwsError('InvalidParameterException', 'Give SecretString or SecretBinary, not both.');
  }
  return text !== undefined || binary !== undefined;
}

function versionIn(input: JsonInput, now: number): SecretVersion {
  return {
    id: optionalString(input, 'ClientRequestToken') ?? randomUUID(),
    stages: stagesIn(input),
    createdAt: now,
    secretString: optionalString(input, 'SecretString') ?? null,
    secretBinary: optionalString(input, 'SecretBinary') ?? null,
  };
}

function stagesIn(input: JsonInput): string[] {
  const stages = input['VersionStages'] ?? [CURRENT];
  if (Array.isArray(stages) && stages.length > 0 && stages.every((stage) => typeof stage === 'string')) {
    return stages;
  }
  throw new AwsError('ValidationException', 'VersionStages must be a list of one or more strings.');
}

function answer(secret: SecretRecord, version: SecretVersion | undefined): JsonInput {
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(version === undefined ? {} : { VersionId: version.id }),
  };
}

function describe(secret: SecretRecord): JsonInput {
  return { ...summary(secret), VersionIdsToStages: stagesById(secret) };
}

function listEntry(secret: SecretRecord): JsonInput {
  return { ...summary(secret), SecretVersionsToStages: stagesById(secret) };
}

function summary(secret: SecretRecord): JsonInput {
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description === null ? {} : { Description: secret.description }),
    ...(secret.kmsKeyId === null ? {} : { KmsKeyId: secret.kmsKeyId }),
    CreatedDate: toEpochSeconds(secret.createdAt),
    LastChangedDate: toEpochSeconds(secret.changedAt),
    Tags: Object.entries(secret.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    ...(typeof secret.deletionDate === 'number' ? { DeletedDate: toEpochSeconds(secret.deletionDate) } : {}),
  };
}

function stagesById(secret: SecretRecord): Record<string, string[]> {
  const staged = secret.versions.filter(({ stages }) => stages.length > 0);
  return Object.fromEntries(staged.map(({ id, stages }) => [id, stages]));
}
