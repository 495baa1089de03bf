import type { DeploymentKeys } from '../../core/encryption-keys/wrapping-key.ts';
import { type Env, required } from './env.ts';

/** The keys of the deployment, as its stage has them. */
export function deploymentKeys(env: Env): DeploymentKeys {
  const allOwn = required(env, 'SECRETS_KEY_ARNS').split(',');
  const own = allOwn[0] ?? '';
  return { own, values: env.TENANT_KEY_ARN ?? own, allOwn };
}
