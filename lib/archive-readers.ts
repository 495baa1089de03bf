import { ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { StageConfig } from './stage.ts';

type ArchiveReader = StageConfig['archiveReaders'][number];

/** What the archive holds of each workspace, below its id. */
const PARTS = ['log', 'archive', 'evidence'];

/**
 * Reading the archive, or one workspace's part of it, by roles outside the vault. The principal is the role's account,
 * narrowed by `aws:PrincipalArn`: a role named as the principal has to exist, and is lost when it is made anew (IAM User
 * Guide, "Principal"). So the account has to let its role read as well.
 */
export function archiveReadStatements(bucket: Bucket, { archiveReaders }: StageConfig): PolicyStatement[] {
  return archiveReaders.flatMap(({ roleArn, workspaceId }, index) => {
    const prefixes = PARTS.map((part) =>
      workspaceId === undefined ? `${part}/` : `${part}/${workspaceId}/`,
    );
    return [
      reading(`Reader${index + 1}Reads`, roleArn, {
        actions: ['s3:GetObject', 's3:GetObjectRetention', 's3:GetObjectVersion'],
        resources: prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
      }),
      reading(`Reader${index + 1}Lists`, roleArn, {
        actions: ['s3:ListBucket', 's3:ListBucketVersions'],
        resources: [bucket.bucketArn],
        conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
      }),
    ];
  });
}

/** Reading the call log by those who may read the whole archive: it tells of everything in the account. */
export function callLogReadStatements(bucket: Bucket, { archiveReaders }: StageConfig): PolicyStatement[] {
  const ofEverything = archiveReaders.filter(({ workspaceId }) => workspaceId === undefined);
  return ofEverything.flatMap(({ roleArn }, index) => [
    reading(`Reader${index + 1}Reads`, roleArn, {
      actions: ['s3:GetObject', 's3:GetObjectRetention', 's3:GetObjectVersion'],
      resources: [bucket.arnForObjects('AWSLogs/*')],
    }),
    reading(`Reader${index + 1}Lists`, roleArn, {
      actions: ['s3:ListBucket', 's3:ListBucketVersions'],
      resources: [bucket.bucketArn],
    }),
  ]);
}

function reading(
  sid: string,
  roleArn: ArchiveReader['roleArn'],
  {
    actions,
    resources,
    conditions = {},
  }: { actions: string[]; resources: string[]; conditions?: Record<string, unknown> },
): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    principals: [new ArnPrincipal(roleArn.replace(/:role\/.*$/, ':root'))],
    actions,
    resources,
    conditions: { ArnEquals: { 'aws:PrincipalArn': roleArn }, ...conditions },
  });
}
