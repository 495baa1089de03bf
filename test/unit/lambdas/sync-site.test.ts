import { readEnv } from '../../../lambdas/shared/env.ts';
import { syncSite } from '../../../lambdas/shared/sync-site.ts';

const before = { ...process.env };
const ENV = {
  STAGE: 'test',
  VAULT_TABLE: 'vault',
  AUDIT_TABLE: 'audit',
  SECRETS_KEY_ARNS: 'arn:aws:kms:us-east-1:000000000000:key/vault',
};
afterEach(() => {
  process.env = before;
});

test.each([
  [{}, false],
  [{ AWS_USE_FIPS_ENDPOINT: 'false' }, false],
  [{ AWS_USE_FIPS_ENDPOINT: 'true' }, true],
])('where copies go, and with %j by which endpoints', (more, fips) => {
  process.env = { ...ENV, ...more };
  expect(syncSite(readEnv())).toMatchObject({
    stage: 'test',
    partition: 'aws',
    region: 'us-east-1',
    accountId: '000000000000',
    accounts: [],
    fips,
  });
});
