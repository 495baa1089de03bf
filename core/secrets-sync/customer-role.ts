import type { FieldError } from '../kernel/errors.ts';
import { copyPrefix, type SyncSite } from './secrets-sync.ts';

/** What the names of roles that the vault assumes begin with: its own rights end there. */
export const SYNC_ROLE_PREFIX = 'lockzero-sync-';

const ROLE_ARN = /^arn:([a-z-]+):iam::(\d{12}):role\/([\w+=,.@/-]{1,576})$/;

/**
 * What is wrong with the ARN of a role, before anybody asks AWS.
 *
 * The vault's own account is refused whatever the operator lists: roles there trust the vault for other reasons, and a
 * workspace must not choose among them.
 */
export function roleFault(roleArn: string, site: SyncSite): FieldError | undefined {
  const [, partition, accountId = '', name = ''] = ROLE_ARN.exec(roleArn) ?? [];
  const fault = (reason: string): FieldError => ({ path: 'roleArn', reason });
  if (partition !== site.partition || !name.startsWith(SYNC_ROLE_PREFIX) || name.includes('/')) {
    return fault(
      `must be the ARN of a role without a path whose name begins with ${SYNC_ROLE_PREFIX}, such as arn:${site.partition}:iam::111122223333:role/${SYNC_ROLE_PREFIX}secrets`,
    );
  }
  if (accountId === site.accountId) {
    return fault("is in the vault's own account: leave it out to keep the copies there");
  }
  if (!site.accounts.includes(accountId)) {
    return fault('is in an account that this vault does not copy to: ask its operator to add the account');
  }
  return undefined;
}

/** The rights on the names of a workspace that copying takes. None of them reads a value. */
export const COPY_ACTIONS = [
  'secretsmanager:CreateSecret',
  'secretsmanager:DeleteSecret',
  'secretsmanager:DescribeSecret',
  'secretsmanager:PutSecretValue',
  'secretsmanager:RestoreSecret',
  'secretsmanager:TagResource',
  'secretsmanager:UpdateSecretVersionStage',
] as const;

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly object[];
}

/**
 * What the vault may do with a workspace's copies. As the session policy of each session it holds whatever the role may do
 * besides; as the policy of the role itself, account and region may be `*`. The keys of the account may be used only by
 * way of Secrets Manager, for copies that their owner put under one of them.
 */
export function copyPolicy(
  site: SyncSite,
  workspaceId: string,
  { accountId, region }: { readonly accountId: string; readonly region: string },
): PolicyDocument {
  const names = `arn:${site.partition}:secretsmanager:${region}:${accountId}:secret:${copyPrefix(site, workspaceId)}*`;
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'LockzeroWritesCopies', Effect: 'Allow', Action: COPY_ACTIONS, Resource: names },
      {
        Sid: 'LockzeroWritesUnderKeys',
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: '*',
        Condition: { StringLike: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
      },
    ],
  };
}

/**
 * Who may assume the customer's role: the vault's roles, and only for this workspace. Without the external id, any other
 * workspace of the vault could have the vault write there (IAM User Guide, "The confused deputy problem").
 */
export function trustPolicy(site: SyncSite, workspaceId: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'LockzeroAssumes',
        Effect: 'Allow',
        Principal: { AWS: `arn:${site.partition}:iam::${site.accountId}:root` },
        Action: 'sts:AssumeRole',
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': site.roleArns },
          StringEquals: { 'sts:ExternalId': workspaceId },
        },
      },
    ],
  };
}
