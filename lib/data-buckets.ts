import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { copyArchive } from './archive-copy.ts';
import { archiveReadStatements } from './archive-readers.ts';
import { acknowledge } from './constructs/acknowledge.ts';
import { type FunctionName, namesOf, pascalCase, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

/** Every bucket: private, TLS only, versioned, and left behind by `cdk destroy`. */
export const PRIVATE_BUCKET = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  versioned: true,
  removalPolicy: RemovalPolicy.RETAIN,
};

/** Where each function writes in the archive, and nobody else does. */
const ARCHIVE_WRITERS: readonly { readonly prefix: string; readonly writer: FunctionName }[] = [
  { prefix: 'log/', writer: 'sealer' },
  { prefix: 'archive/', writer: 'archiver' },
  { prefix: 'evidence/', writer: 'evidence-export' },
];

/** The access logs of the other buckets of a stack. */
export function accessLogBucket(stack: Stack): Bucket {
  const bucket = new Bucket(stack, 'AccessLogs', {
    ...PRIVATE_BUCKET,
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(30) }],
  });
  acknowledge(
    bucket,
    'S3 delivers server access logs only to buckets with SSE-S3.',
    'NIST.800.53.R5-S3DefaultEncryptionKMS',
  );
  acknowledge(bucket, 'Access logs of one region stay in it.', 'NIST.800.53.R5-S3BucketReplicationEnabled');
  return bucket;
}

/** The access logs of the buckets of the stack Data, and of the call log. */
export function logBucket(stack: Stack): IBucket {
  const bucket = accessLogBucket(stack);
  // The bucket of the call log belongs to a later stack, so that this policy cannot name it.
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogAccessToTheCallLog',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('logging.s3.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('call-log/*')],
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
  );
  // aws-cdk-lib is compiled without exactOptionalPropertyTypes: its classes miss their own interfaces by a hair.
  return bucket as IBucket;
}

/** What is kept for years: the logs with their checkpoints, the daily archive, exported evidence. Each version is locked as it is written. */
export function archiveBucket(stack: Stack, stage: StageConfig, accessLogs: IBucket): Bucket {
  const bucket = new Bucket(stack, 'Archive', {
    ...PRIVATE_BUCKET,
    encryption: BucketEncryption.S3_MANAGED,
    objectLockEnabled: true,
    objectLockDefaultRetention: lockOf(stage),
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'archive/',
  });
  for (const statement of [...archiveDenials(bucket, stage), ...archiveReadStatements(bucket, stage)]) {
    bucket.addToResourcePolicy(statement);
  }
  acknowledge(
    bucket,
    'SSE-S3 on purpose: whoever deletes a KMS key would destroy locked evidence with it.',
    'NIST.800.53.R5-S3DefaultEncryptionKMS',
  );
  if (stage.replicateArchiveTo !== undefined) {
    copyArchive(stack, stage, bucket, stage.replicateArchiveTo);
    return bucket;
  }
  acknowledge(
    bucket,
    'Locked versions cannot be deleted, and residency keeps them in one region, unless the stage wants a copy elsewhere.',
    'NIST.800.53.R5-S3BucketReplicationEnabled',
  );
  return bucket;
}

/** The lock of what is written to the archive. */
export function lockOf({ archive }: StageConfig): ObjectLockRetention {
  const retention = Duration.days(archive.retentionDays);
  return archive.mode === 'COMPLIANCE'
    ? ObjectLockRetention.compliance(retention)
    : ObjectLockRetention.governance(retention);
}

/**
 * The lock protects what was written; this keeps others from writing beside or over it, and from hiding it under delete
 * markers. Configuring the bucket stays with whoever deploys: they can lift this, and CloudTrail tells. A stage that
 * locks in GOVERNANCE mode is meant to be thrown away, so there removing is left to IAM.
 */
function archiveDenials(bucket: Bucket, stage: StageConfig): PolicyStatement[] {
  const everybody = { effect: Effect.DENY, principals: [new AnyPrincipal()] };
  const { role } = namesOf(stage);
  const writes = ARCHIVE_WRITERS.map(
    ({ prefix, writer }) =>
      new PolicyStatement({
        ...everybody,
        sid: `Only${pascalCase(writer)}Writes`,
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${prefix}*`)],
        conditions: {
          ArnNotEquals: {
            'aws:PrincipalArn': [
              roleArn(role(writer)),
              // A restore publishes again what was published before; it signs nothing.
              ...(stage.recovery && writer === 'sealer' ? [roleArn(role('restore'))] : []),
            ],
          },
        },
      }),
  );
  const elsewhere = new PolicyStatement({
    ...everybody,
    sid: 'NobodyWritesElsewhere',
    actions: ['s3:PutObject'],
    notResources: ARCHIVE_WRITERS.map(({ prefix }) => bucket.arnForObjects(`${prefix}*`)),
  });
  if (stage.archive.mode === 'GOVERNANCE') return [...writes, elsewhere];
  const removals = new PolicyStatement({
    ...everybody,
    sid: 'NobodyRemoves',
    actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
    resources: [bucket.arnForObjects('*')],
  });
  return [...writes, elsewhere, removals];
}

/** Where the sealer lays what it is about to publish. Nobody needs it a week later. */
export function stagingBucket(stack: Stack, accessLogs: IBucket): Bucket {
  const bucket = new Bucket(stack, 'Staging', {
    ...PRIVATE_BUCKET,
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(7), noncurrentVersionExpiration: Duration.days(1) }],
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'staging/',
  });
  acknowledge(
    bucket,
    'SSE-S3 as in the archive, where the same bytes go: sealing depends on no KMS key but the one that signs.',
    'NIST.800.53.R5-S3DefaultEncryptionKMS',
  );
  acknowledge(
    bucket,
    'What lies here is published within minutes and then of no use to anybody.',
    'NIST.800.53.R5-S3BucketReplicationEnabled',
  );
  return bucket;
}

/** In days, how long a backup is kept in all, and how much of that as an old version: expired, replaced or deleted. */
const BACKUP_DAYS = { all: 365, old: 90 };

/** The nightly exports of both tables, which DynamoDB writes in the name of the function `backup`. */
export function backupBucket(stack: Stack, key: IKey, accessLogs: IBucket): Bucket {
  const bucket = new Bucket(stack, 'Backup', {
    ...PRIVATE_BUCKET,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    lifecycleRules: [
      {
        // What expires becomes an old version first.
        expiration: Duration.days(BACKUP_DAYS.all - BACKUP_DAYS.old),
        noncurrentVersionExpiration: Duration.days(BACKUP_DAYS.old),
      },
    ],
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'backup/',
  });
  acknowledge(
    bucket,
    'A second copy beside point-in-time recovery; residency keeps it in the region of the stage.',
    'NIST.800.53.R5-S3BucketReplicationEnabled',
  );
  return bucket;
}
