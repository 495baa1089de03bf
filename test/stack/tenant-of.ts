import type { StageConfig } from '../../lib/stage.ts';
import { findTenant } from '../../lib/tenant.ts';
import { CUSTOMER, keyOf } from './key-users.ts';

/** A key for values, of the customer unless another account is named. */
export const valueKey = (region: string, account = CUSTOMER) => keyOf(account, region);
export const reader = `arn:aws:iam::${CUSTOMER}:role/auditor`;
export const bus = `arn:aws:events:eu-central-1:${CUSTOMER}:event-bus/lockzero`;
export const acme = { tenant: 'acme', byokKeyArn: valueKey('us-east-1') };

/** What somebody says with `-c` who deploys. */
export type Options = Readonly<Record<string, unknown>>;

/** The stage of the tenant that the options name. */
export function tenantOf(options: Options): StageConfig {
  const stage = findTenant((name) => options[name]);
  if (stage === undefined) throw new Error('These options name no tenant.');
  return stage;
}
