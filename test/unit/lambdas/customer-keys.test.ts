import { customerKeys } from '../../../lambdas/shared/customer-keys.ts';
import type { Env } from '../../../lambdas/shared/env.ts';

const ROLES = ['api', 'rewrapper', 'syncer'].map((name) => `arn:aws:iam::000000000000:role/${name}`);
const [api, rewrapper, syncer] = ROLES;
const ENV: Env = {
  STAGE: 'test',
  VAULT_TABLE: 'vault',
  AUDIT_TABLE: 'audit',
  DEFAULT_PLAN: 'standard',
  KEY_USER_ROLE_ARNS: ROLES.join(','),
};

test('a deployment that names no accounts takes no keys', () => {
  expect(customerKeys(ENV)).toEqual({ accounts: [], granted: [], users: { api, rewrapper, syncer } });
});

test.each([
  ['any', 'any'],
  ['111122223333', ['111122223333']],
  ['111122223333,444455556666', ['111122223333', '444455556666']],
])('the accounts %s', (CUSTOMER_KEY_ACCOUNTS, accounts) => {
  expect(customerKeys({ ...ENV, CUSTOMER_KEY_ACCOUNTS })).toMatchObject({ accounts });
});

test('keys that the operator gave to workspaces', () => {
  const granted = [{ workspaceId: 'ws_1', keyArn: 'arn' }];
  expect(customerKeys({ ...ENV, GRANTED_KEYS: granted })).toMatchObject({ granted });
});

test('where one role does everything, it is named for everything', () => {
  const one = customerKeys({ ...ENV, KEY_USER_ROLE_ARNS: 'role' });
  expect(one.users).toEqual({ api: 'role', rewrapper: 'role', syncer: 'role' });
});

test('a function that does not know who uses keys does not start', () => {
  const { KEY_USER_ROLE_ARNS: _, ...without } = ENV;
  expect(() => customerKeys(without)).toThrow('KEY_USER_ROLE_ARNS');
});
