import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';

const region = 'ap-southeast-1';
const name = 'a'.repeat(20);
const account = (index: number) => String(444455550000 + index);
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
export const keyArn = (index: number, owner = '111122223333') =>
  `arn:aws:kms:${region}:${owner}:key/0a1b2c3d-0a1b-0a1b-0a1b-${String(index).padStart(12, '0')}`;
const workspaceId = (index: number) => `ws_${String(index).padStart(32, '0')}`;

/** Whatever makes policies and environments longer, as long as a stage may say it. */
export const largest = parseStage({
  ...findStage('production'),
  name,
  region,
  recovery: true,
  secretsKeys: [4, 3, 2, 1],
  signingKeys: [4, 3, 2, 1],
  customerKeyAccounts: many(20, account),
  grantedKeys: many(8, (index) => ({ workspaceId: workspaceId(index), keyArn: keyArn(index) })),
  tenantKeyArn: keyArn(99, account(0)),
  earlierTenantKeyArns: many(4, (index) => keyArn(98 - index, account(0))),
  customerTrail: {},
  syncAccounts: many(20, account),
  archiveReaders: many(10, (index) => ({
    roleArn: `arn:aws:iam::${account(index)}:role/${'r'.repeat(64)}`,
    workspaceId: workspaceId(index),
  })),
  replicateArchiveTo: 'us-west-2',
  mail: { from: 'vault@mail.example.com' },
});
