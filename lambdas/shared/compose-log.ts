import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoSeals } from '../../aws/dynamo-seals.ts';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import { createS3Archive, createS3Client } from '../../aws/s3-archive.ts';
import { type Env, required } from './env.ts';

/** The workspaces' logs: the sealer's state, the archive, and the key that signs checkpoints and manifests. */
export function composeLog(env: Env, s3 = createS3Client()) {
  return {
    seals: createDynamoSeals(createDynamoClient(), env.VAULT_TABLE),
    archive: createS3Archive(required(env, 'ARCHIVE_BUCKET'), s3),
    signer: createKmsSigner([required(env, 'CHECKPOINT_KEY_ARN')]),
    logName: required(env, 'LOG_NAME'),
  };
}
