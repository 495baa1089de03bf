import type { WireRequest } from '../stand-in.ts';

/** Whoever signed a request, as key policies and CloudTrail see them. */
export interface Caller {
  readonly type: 'AssumedRole' | 'IAMUser' | 'Root';
  readonly accessKeyId: string;
  readonly accountId: string;
  /** The role, the user or the root of the account: what `aws:PrincipalArn` is. */
  readonly principalArn: string;
  /** As a refusal names them: of a role, its session. */
  readonly arn: string;
}

/** The account of the vault, and the role that all its functions have here. */
export interface VaultPrincipal {
  readonly accountId: string;
  readonly roleName: string;
}

/** The access key that the functions show. */
const FUNCTIONS_KEY = 'local';
const CUSTOMER_KEY = /^customer-(\d{12})$/;
const SIGNED_BY = /Credential=([^/,\s]{1,128})\//;

/** The access key of whoever administers a customer's account: its root. */
export function customerAccessKey(accountId: string): string {
  return `customer-${accountId}`;
}

/**
 * Tells callers by the access key in the `Authorization` header (AWS Signature Version 4), whose signature no stand-in
 * verifies: `local` is the role of the functions, `customer-<account id>` the root of that account, and any other name a
 * user of the vault's account.
 */
export function callerOf({ headers }: WireRequest, { accountId, roleName }: VaultPrincipal): Caller {
  const accessKeyId = SIGNED_BY.exec(headers['authorization'] ?? '')?.[1] ?? 'anonymous';
  const [, customer] = CUSTOMER_KEY.exec(accessKeyId) ?? [];
  if (customer !== undefined) {
    const arn = `arn:aws:iam::${customer}:root`;
    return { type: 'Root', accessKeyId, accountId: customer, principalArn: arn, arn };
  }
  if (accessKeyId !== FUNCTIONS_KEY) {
    const arn = `arn:aws:iam::${accountId}:user/${accessKeyId}`;
    return { type: 'IAMUser', accessKeyId, accountId, principalArn: arn, arn };
  }
  return {
    type: 'AssumedRole',
    accessKeyId,
    accountId,
    principalArn: `arn:aws:iam::${accountId}:role/${roleName}`,
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${accessKeyId}`,
  };
}
