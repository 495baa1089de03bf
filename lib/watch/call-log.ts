import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';

export interface CallLogProps {
  readonly stage: StageConfig;
  /** Of the stack Data: the bucket where access to this one is logged. */
  readonly accessLogsName: string;
}

/**
 * CloudTrail: every call to KMS and every change to the account's resources, in a bucket where nobody can change what
 * was written, with digests that prove that no file is missing (CloudTrail, "Validating log file integrity").
 */
export class CallLog extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { stage, accessLogsName }: CallLogProps) {
    super(scope, id);
    const locked = Duration.days(Math.min(stage.archive.retentionDays, 365));
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        stage.archive.mode === 'COMPLIANCE'
          ? ObjectLockRetention.compliance(locked)
          : ObjectLockRetention.governance(locked),
      lifecycleRules: [{ expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(30) }],
      serverAccessLogsBucket: Bucket.fromBucketName(this, 'AccessLogs', accessLogsName),
      serverAccessLogsPrefix: 'call-log/',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const statement of this.denials(stage)) this.bucket.addToResourcePolicy(statement);
    acknowledge(
      this.bucket,
      'SSE-S3 on purpose, as in the archive: whoever deletes a KMS key would destroy the evidence of it.',
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
    );
    acknowledge(
      this.bucket,
      'The bucket of access logs, in the stack Data, takes those below this prefix.',
      'Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded',
    );
    acknowledge(
      this.bucket,
      'Locked versions cannot be deleted, and residency keeps them in one region.',
      'NIST.800.53.R5-S3BucketReplicationEnabled',
    );
    const trail = new Trail(this, 'Trail', {
      trailName: namesOf(stage).prefix,
      bucket: this.bucket as IBucket,
      enableFileValidation: true,
      includeGlobalServiceEvents: true,
      // A trail of all regions: whoever works elsewhere with stolen credentials shows as well.
      isMultiRegionTrail: true,
    });
    acknowledge(
      trail,
      'Log files lie locked in S3 with digests; alarms read metrics, and the daily reconciliation reads the files.',
      'NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled',
    );
    acknowledge(trail, 'SSE-S3 on purpose, see the bucket.', 'NIST.800.53.R5-CloudTrailEncryptionEnabled');
  }

  /** By its name: the trail needs the policy first. */
  private trailArn(stage: StageConfig): string {
    return Stack.of(this).formatArn({
      service: 'cloudtrail',
      resource: 'trail',
      resourceName: namesOf(stage).prefix,
    });
  }

  /**
   * The lock protects what CloudTrail wrote; this keeps others from writing a newer version over a file, and from hiding it
   * under a delete marker: whoever reads the log would take that for the truth. Nor may CloudTrail write for a trail of
   * anybody else's, which can have this bucket for its own. As in the archive, removing is left to IAM where the lock is
   * GOVERNANCE.
   */
  private denials(stage: StageConfig): PolicyStatement[] {
    const everybody = { effect: Effect.DENY, principals: [new AnyPrincipal()] };
    const resources = [this.bucket.arnForObjects('*')];
    const writes = new PolicyStatement({
      ...everybody,
      sid: 'OnlyServicesWrite',
      actions: ['s3:PutObject'],
      resources,
      // CloudTrail is the one service that the policy lets in.
      conditions: { Bool: { 'aws:PrincipalIsAWSService': 'false' } },
    });
    const foreignTrails = new PolicyStatement({
      effect: Effect.DENY,
      principals: [new ServicePrincipal('cloudtrail.amazonaws.com')],
      sid: 'OnlyThisTrailWrites',
      actions: ['s3:PutObject'],
      resources,
      conditions: { StringNotEquals: { 'aws:SourceArn': this.trailArn(stage) } },
    });
    if (stage.archive.mode === 'GOVERNANCE') return [writes, foreignTrails];
    return [
      writes,
      foreignTrails,
      new PolicyStatement({
        ...everybody,
        sid: 'NobodyRemoves',
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
        resources,
      }),
    ];
  }
}
