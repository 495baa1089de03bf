import { randomBytes } from 'node:crypto';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  KMSClient,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type KeyArns, type QueueUrls, RESOURCES } from './environment.ts';

/** The streams of the tables, by their ARNs. */
export interface StreamArns {
  readonly vaultStreamArn: string;
  readonly auditStreamArn: string;
}

export interface Provisioned {
  readonly keyArns: KeyArns;
  readonly queueUrls: QueueUrls;
  readonly streamArns: StreamArns;
}

/**
 * Makes what the stacks make on AWS, as far as it is not there yet: tables with their streams, buckets, queues, keys and
 * bootstrap secrets. The clients find the stand-ins through the environment.
 */
export async function provision(): Promise<Provisioned> {
  const kms = new KMSClient();
  const sqs = new SQSClient();
  const [secretsKeyArn, signingKeyArn, checkpointKeyArn, sealQueueUrl, deliveryQueueUrl, streamArns] =
    await Promise.all([
      provisionKey(kms, SECRETS_KEY),
      provisionKey(kms, SIGNING_KEY),
      provisionKey(kms, CHECKPOINT_KEY),
      provisionQueue(sqs, RESOURCES.sealQueue),
      provisionQueue(sqs, RESOURCES.deliveryQueue),
      provisionTables(new DynamoDBClient()),
      provisionBuckets(new S3Client()),
      provisionSecrets(new SecretsManagerClient()),
    ]);
  return {
    keyArns: { secretsKeyArn, signingKeyArn, checkpointKeyArn },
    queueUrls: { sealQueueUrl, deliveryQueueUrl },
    streamArns,
  };
}

/** The setup token as an operator reads it. */
export async function readSetupToken(): Promise<string> {
  const command = new GetSecretValueCommand({ SecretId: RESOURCES.setupTokenSecretId });
  const { SecretString: token } = await new SecretsManagerClient().send(command);
  if (token === undefined) throw new Error(`The secret ${RESOURCES.setupTokenSecretId} holds no text.`);
  return token;
}

/** Puts a fresh setup token in place, as an operator does to recover the owner. */
export async function rotateSetupToken(): Promise<void> {
  await new SecretsManagerClient().send(
    new PutSecretValueCommand({ SecretId: RESOURCES.setupTokenSecretId, SecretString: randomText(48) }),
  );
}

/** KMS gives no names of one's own to keys, so the description tells which one it is. */
type KeyInput = CreateKeyCommandInput & { readonly Description: string };

const SECRETS_KEY: KeyInput = { Description: 'Lockzero: wraps the data keys of secrets' };
const SIGNING_KEY: KeyInput = {
  Description: 'Lockzero: signs access tokens',
  KeySpec: 'ECC_NIST_EDWARDS25519',
  KeyUsage: 'SIGN_VERIFY',
};
const CHECKPOINT_KEY: KeyInput = {
  Description: 'Lockzero: signs checkpoints and manifests',
  KeySpec: 'ECC_NIST_EDWARDS25519',
  KeyUsage: 'SIGN_VERIFY',
};

async function provisionKey(client: KMSClient, wanted: KeyInput): Promise<string> {
  const { Keys: keys = [] } = await client.send(new ListKeysCommand());
  for (const { KeyId } of keys) {
    const { KeyMetadata: key } = await client.send(new DescribeKeyCommand({ KeyId }));
    if (key?.Description === wanted.Description && key.Arn !== undefined) return key.Arn;
  }
  const created = await client.send(new CreateKeyCommand(wanted));
  if (created.KeyMetadata?.Arn === undefined) throw new Error('The key service made a key without an ARN.');
  return created.KeyMetadata.Arn;
}

const TABLE: Omit<CreateTableCommandInput, 'TableName'> = {
  BillingMode: 'PAY_PER_REQUEST',
  DeletionProtectionEnabled: true,
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
};

const LIST_INDEX: Partial<CreateTableCommandInput> = {
  AttributeDefinitions: [
    ...(TABLE.AttributeDefinitions ?? []),
    { AttributeName: 'lk', AttributeType: 'S' },
    { AttributeName: 'lsk', AttributeType: 'S' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'list',
      KeySchema: [
        { AttributeName: 'lk', KeyType: 'HASH' },
        { AttributeName: 'lsk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
};

const STREAM = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;

async function provisionTables(client: DynamoDBClient): Promise<StreamArns> {
  const { vaultTable, auditTable } = RESOURCES;
  const table = { ...TABLE, StreamSpecification: STREAM };
  await unlessThere('ResourceInUseException', [
    client.send(new CreateTableCommand({ ...table, ...LIST_INDEX, TableName: vaultTable })),
    client.send(new CreateTableCommand({ ...table, TableName: auditTable })),
  ]);
  const { TimeToLiveDescription: ttl } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: vaultTable }),
  );
  if (ttl?.TimeToLiveStatus !== 'ENABLED') {
    const TimeToLiveSpecification = { Enabled: true, AttributeName: 'ttl' };
    await client.send(new UpdateTimeToLiveCommand({ TableName: vaultTable, TimeToLiveSpecification }));
  }
  return {
    vaultStreamArn: await provisionStream(client, vaultTable),
    auditStreamArn: await provisionStream(client, auditTable),
  };
}

/** The ARN of the table's stream, which a table of an earlier version may not have. */
async function provisionStream(client: DynamoDBClient, TableName: string): Promise<string> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName }));
  if (table?.StreamSpecification?.StreamEnabled === true && table.LatestStreamArn !== undefined) {
    return table.LatestStreamArn;
  }
  const command = new UpdateTableCommand({ TableName, StreamSpecification: STREAM });
  const { TableDescription: updated } = await client.send(command);
  if (updated?.LatestStreamArn === undefined) throw new Error(`The table ${TableName} has no stream.`);
  return updated.LatestStreamArn;
}

async function provisionBuckets(client: S3Client): Promise<void> {
  const { archiveBucket: Bucket, archiveRetentionDays: Days } = RESOURCES;
  const { stagingBucket, backupBucket, trailBucket } = RESOURCES;
  await unlessThere('BucketAlreadyOwnedByYou', [
    client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true })),
    ...[stagingBucket, backupBucket, trailBucket].map((name) =>
      client.send(new CreateBucketCommand({ Bucket: name })),
    ),
  ]);
  const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days } } as const;
  await client.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule },
    }),
  );
}

/** As on AWS, but for the time until a message that failed comes again: nobody waits minutes at a laptop. */
async function provisionQueue(client: SQSClient, QueueName: string): Promise<string> {
  const Attributes = { FifoQueue: 'true', VisibilityTimeout: '30' };
  const { QueueUrl: url } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
  if (url === undefined) throw new Error(`The queue ${QueueName} was made without a URL.`);
  return url;
}

async function provisionSecrets(client: SecretsManagerClient): Promise<void> {
  const { rootSecretId, setupTokenSecretId } = RESOURCES;
  const root = JSON.stringify({ current: '1', '1': randomText(64) });
  await unlessThere('ResourceExistsException', [
    client.send(new CreateSecretCommand({ Name: rootSecretId, SecretString: root })),
    client.send(new CreateSecretCommand({ Name: setupTokenSecretId, SecretString: randomText(48) })),
  ]);
}

/** Waits for all, taking the error that says "it exists already" for success. */
async function unlessThere(errorName: string, creations: readonly Promise<unknown>[]): Promise<void> {
  const tolerant = creations.map((creation) =>
    creation.catch((error: unknown) => {
      if (!(error instanceof Error) || error.name !== errorName) throw error;
    }),
  );
  await Promise.all(tolerant);
}

/** Random text of the base64url alphabet: 6 bits a character. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64url').slice(0, length);
}
