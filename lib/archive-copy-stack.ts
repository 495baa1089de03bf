import { type App, Stack, type StackProps } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import { accessLogBucket, lockOf, PRIVATE_BUCKET } from './data-buckets.ts';
import { namesOf, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

export interface ArchiveCopyStackProps extends StackProps {
  readonly stage: StageConfig;
  /** Where the copy lies. */
  readonly region: string;
}

/** The copy of the archive in another region: locked like the archive, and written by S3's replication alone. */
export class ArchiveCopyStack extends Stack {
  constructor(scope: Construct, id: string, props: ArchiveCopyStackProps) {
    super(scope, id, props);
    const { stage, region } = props;
    const { archiveCopyBucket, role } = namesOf(stage);
    const bucket = new Bucket(this, 'Copy', {
      ...PRIVATE_BUCKET,
      bucketName: archiveCopyBucket(region),
      encryption: BucketEncryption.S3_MANAGED,
      objectLockEnabled: true,
      objectLockDefaultRetention: lockOf(stage),
      // aws-cdk-lib is compiled without exactOptionalPropertyTypes: its classes miss their own interfaces by a hair.
      serverAccessLogsBucket: accessLogBucket(this) as IBucket,
      serverAccessLogsPrefix: 'archive-copy/',
    });
    const deny = (
      sid: string,
      actions: readonly string[],
      conditions: Record<string, unknown> = {},
    ): PolicyStatement =>
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: [...actions],
        resources: [bucket.arnForObjects('*')],
        conditions,
      });
    bucket.addToResourcePolicy(deny('NobodyWrites', ['s3:PutObject']));
    bucket.addToResourcePolicy(
      deny('OnlyTheArchiveIsCopied', ['s3:ReplicateObject', 's3:ReplicateTags'], {
        ArnNotEquals: { 'aws:PrincipalArn': roleArn(role('archive-copy')) },
      }),
    );
    if (stage.archive.mode === 'COMPLIANCE') {
      const removals = ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:ReplicateDelete'];
      bucket.addToResourcePolicy(deny('NobodyRemoves', removals));
    }
    acknowledge(
      bucket,
      'SSE-S3 on purpose, as in the archive: whoever deletes a KMS key would destroy locked evidence with it.',
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
    );
    acknowledge(bucket, 'This is the copy.', 'NIST.800.53.R5-S3BucketReplicationEnabled');
  }
}

/** Adds the stack in the other region, if the stage names one. */
export function addArchiveCopy(
  app: App,
  stage: StageConfig,
  common: StackProps,
): ArchiveCopyStack | undefined {
  const { replicateArchiveTo: region } = stage;
  if (region === undefined) return undefined;
  return new ArchiveCopyStack(app, 'ArchiveCopy', {
    ...common,
    stage,
    region,
    env: { ...common.env, region },
  });
}
