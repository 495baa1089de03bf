import type { CustomerKeys } from '../../core/encryption-keys/customer-keys.ts';
import { type Env, required } from './env.ts';

/** Whose keys workspaces may bring, as the stage says, and the roles that work with them: api, rewrapper, syncer. */
export function customerKeys(env: Env): CustomerKeys {
  const [api = '', rewrapper = api, syncer = api] = required(env, 'KEY_USER_ROLE_ARNS').split(',');
  const accounts = env.CUSTOMER_KEY_ACCOUNTS ?? '';
  return {
    accounts: accounts === 'any' ? 'any' : accounts.split(',').filter((account) => account !== ''),
    granted: env.GRANTED_KEYS ?? [],
    users: { api, rewrapper, syncer },
  };
}
