import type { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { acknowledge, printed } from './constructs/acknowledge.ts';
import { namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';

export const ARCHIVE_COPY_RULE = 'archive-copy';

/**
 * Lets S3 copy every new version to the bucket in the other region, with its lock. Removals are not copied, so the role
 * cannot remove; what was written before the rule is not copied either, nor while a stage that has an archive already gets
 * both rule and role. S3 Batch Replication copies that once (S3, "Replicating existing objects").
 */
export function copyArchive(stack: Stack, stage: StageConfig, bucket: Bucket, region: string): void {
  const { archiveCopyBucket, role: roleName } = namesOf(stage);
  const copyArn = `arn:${stack.partition}:s3:::${archiveCopyBucket(region)}`;
  const role = new Role(stack, 'ArchiveCopyRole', {
    // The policy of the other bucket knows it by this name.
    roleName: roleName('archive-copy'),
    description: `Lockzero ${stage.name}: lets S3 copy the archive to ${region}`,
    assumedBy: new ServicePrincipal('s3.amazonaws.com'),
  });
  const policy = new ManagedPolicy(stack, 'ArchiveCopyPolicy', {
    roles: [role],
    statements: [
      new PolicyStatement({
        actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
        resources: [bucket.bucketArn],
      }),
      new PolicyStatement({
        actions: [
          's3:GetObjectLegalHold',
          's3:GetObjectRetention',
          's3:GetObjectVersionAcl',
          's3:GetObjectVersionForReplication',
          's3:GetObjectVersionTagging',
        ],
        resources: [bucket.arnForObjects('*')],
      }),
      new PolicyStatement({
        actions: ['s3:ReplicateObject', 's3:ReplicateTags'],
        resources: [`${copyArn}/*`],
      }),
    ],
  });
  acknowledge(
    policy,
    'The whole archive is copied, object by object.',
    `AwsSolutions-IAM5[Resource::<${stack.getLogicalId(bucket.node.defaultChild as CfnBucket)}.Arn>/*]`,
    `AwsSolutions-IAM5[Resource::${printed(stack, `${copyArn}/*`)}]`,
  );
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.replicationConfiguration = {
    role: role.roleArn,
    rules: [
      {
        id: ARCHIVE_COPY_RULE,
        status: 'Enabled',
        priority: 1,
        filter: { prefix: '' },
        deleteMarkerReplication: { status: 'Disabled' },
        destination: { bucket: copyArn, metrics: { status: 'Enabled' } },
      },
    ],
  };
}
