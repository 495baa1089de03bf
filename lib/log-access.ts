import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ObjectAccess } from './constructs/function-role.ts';
import type { VaultFunctionProps } from './constructs/vault-function.ts';
import type { DataStack } from './data-stack.ts';
import { namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';

/** What a function must be told to find the workspaces' logs and to check their signatures. */
export function logEnvironment(
  stage: StageConfig,
  data: DataStack,
  checkpointKeyArn: string,
): Record<string, string> {
  return {
    ARCHIVE_BUCKET: data.archive.bucketName,
    CHECKPOINT_KEY_ARN: checkpointKeyArn,
    LOG_NAME: namesOf(stage).logName,
  };
}

/** Reading a part of the archive: the sealed logs, the daily archives, or exported evidence. */
export function readArchive(data: DataStack, prefix: 'log/' | 'archive/' | 'evidence/'): ObjectAccess {
  return { bucketArn: data.archiveArn, prefix, actions: ['GetObject', 'GetObjectVersion'] };
}

/** Checking what the checkpoint key signed. */
export function readCheckpointKey(checkpointKeyArn: string): PolicyStatement {
  return new PolicyStatement({ actions: ['kms:GetPublicKey'], resources: [checkpointKeyArn] });
}

/** Signing with the checkpoint key, and checking the result. */
export function signCheckpoints(checkpointKeyArn: string): PolicyStatement {
  return new PolicyStatement({ actions: ['kms:GetPublicKey', 'kms:Sign'], resources: [checkpointKeyArn] });
}

/** The nightly backups: writing them as DynamoDB does in somebody's name, or reading them. */
export function useBackups(
  stack: Stack,
  { backupArn }: DataStack,
  dataKeyArn: string,
  use: 'read' | 'write',
): Pick<VaultFunctionProps, 'objects' | 'statements'> {
  const isWriting = use === 'write';
  return {
    objects: [
      {
        bucketArn: backupArn,
        prefix: 'backups/',
        actions: isWriting ? ['AbortMultipartUpload', 'PutObject', 'PutObjectAcl'] : ['GetObject'],
      },
    ],
    statements: [
      new PolicyStatement({
        actions: isWriting ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
        resources: [dataKeyArn],
        conditions: { StringEquals: { 'kms:ViaService': `s3.${stack.region}.amazonaws.com` } },
      }),
    ],
  };
}
