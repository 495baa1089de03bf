import type { SyncSite } from '../../core/secrets-sync/secrets-sync.ts';
import { deploymentKeys } from './deployment-keys.ts';
import type { Env } from './env.ts';

/** Where the deployment is, by the ARN of its own key, and where it may copy secrets to. */
export function syncSite(env: Env): SyncSite {
  const [, partition = '', , region = '', accountId = ''] = deploymentKeys(env).own.split(':');
  const [api, , syncer] = env.KEY_USER_ROLE_ARNS?.split(',') ?? [];
  return {
    stage: env.STAGE,
    partition,
    region,
    accountId,
    accounts: env.SYNC_ACCOUNTS?.split(',') ?? [],
    roleArns: [api, syncer].filter((arn) => arn !== undefined),
    fips: env.AWS_USE_FIPS_ENDPOINT ?? false,
  };
}
