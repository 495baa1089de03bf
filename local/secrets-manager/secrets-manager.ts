import { randomBytes, randomUUID } from 'node:crypto';
import {
  type JsonInput,
  optionalString,
  requireString,
  serveJsonProtocol,
  toEpochSeconds,
} from '../json-protocol.ts';
import { openRecords, type Records } from '../json-records.ts';
import { AwsError, type StandIn } from '../stand-in.ts';
import { addVersion, CURRENT, isSameWrite, type SecretRecord, type SecretVersion } from './versions.ts';

export interface SecretsManagerOptions {
  /** Where the secrets live, values included. */
  file: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  region: string;
  accountId: string;
}

/** A stand-in for AWS Secrets Manager, which keeps its secrets and their versions in one file. */
export function createSecretsManager(options: SecretsManagerOptions): StandIn {
  const secrets = openRecords<SecretRecord>(options.file, (secret) => secret.name);
  return serveJsonProtocol('secretsmanager', {
    CreateSecret: (input) => createSecret(secrets, input, options),
    PutSecretValue: (input) => putSecretValue(secrets, input, options.now()),
    GetSecretValue: (input) => getSecretValue(secrets, input),
    DescribeSecret: (input) => describe(findSecret(secrets, input)),
    ListSecrets: () => ({ SecretList: secrets.all().map(listEntry) }),
  });
}

function createSecret(
  secrets: Records<SecretRecord>,
  input: JsonInput,
  options: SecretsManagerOptions,
): JsonInput {
  const name = requireString(input, 'Name');
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) {
    throw new AwsError(
      'ValidationException',
      'Name must have 1 to 512 characters of A-Z a-z 0-9 / _ + = . @ -',
    );
  }
  const now = options.now();
  const version = hasValue(input) ? versionIn(input, now) : undefined;
  const known = secrets.get(name);
  if (known !== undefined) {
    // The SDK repeats its token when it retries, so a lost answer to the first try is no conflict.
    if (version !== undefined && known.versions.some((other) => isSameWrite(other, version))) {
      return answer(known, version);
    }
    throw new AwsError('ResourceExistsException', `The secret ${name} already exists.`);
  }
  const suffix = randomBytes(3).toString('hex');
  const secret: SecretRecord = {
    name,
    arn: `arn:aws:secretsmanager:${options.region}:${options.accountId}:secret:${name}-${suffix}`,
    description: optionalString(input, 'Description') ?? null,
    kmsKeyId: optionalString(input, 'KmsKeyId') ?? null,
    createdAt: now,
    changedAt: now,
    versions: version === undefined ? [] : [version],
  };
  secrets.put(secret);
  return answer(secret, version);
}

function putSecretValue(secrets: Records<SecretRecord>, input: JsonInput, now: number): JsonInput {
  const secret = findSecret(secrets, input);
  if (!hasValue(input)) {
    throw new AwsError('InvalidParameterException', 'Give either SecretString or SecretBinary.');
  }
  const version = versionIn(input, now);
  const changed = { ...secret, versions: addVersion(secret.versions, version), changedAt: now };
  secrets.put(changed);
  return { ...answer(changed, version), VersionStages: version.stages };
}

function getSecretValue(secrets: Records<SecretRecord>, input: JsonInput): JsonInput {
  const secret = findSecret(secrets, input);
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

function findSecret(secrets: Records<SecretRecord>, input: JsonInput): SecretRecord {
  const nameOrArn = requireString(input, 'SecretId');
  const secret = secrets.get(nameOrArn) ?? secrets.all().find(({ arn }) => arn === nameOrArn);
  if (secret !== undefined) return secret;
  throw new AwsError('ResourceNotFoundException', `The secret ${nameOrArn} does not exist.`);
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
  };
}

function stagesById(secret: SecretRecord): Record<string, string[]> {
  const staged = secret.versions.filter(({ stages }) => stages.length > 0);
  return Object.fromEntries(staged.map(({ id, stages }) => [id, stages]));
}
