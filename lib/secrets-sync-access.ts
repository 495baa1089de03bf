import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { printed } from './constructs/acknowledge.ts';
import type { Explained } from './constructs/function-role.ts';
import { namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';

/** What it takes to write a copy. None of these reads a value. */
const WRITING: readonly string[] = [
  'secretsmanager:CreateSecret',
  'secretsmanager:DescribeSecret',
  'secretsmanager:PutSecretValue',
  'secretsmanager:RestoreSecret',
  'secretsmanager:TagResource',
  'secretsmanager:UpdateSecretVersionStage',
];

/**
 * Writing copies of secrets into Secrets Manager: below the names of workspaces in the vault's own account, and by roles
 * `lockzero-sync-…` of the accounts that the stage lists. The api writes the tokens of bootstrap keys only, and removes none.
 */
export function writeCopies(stack: Stack, stage: StageConfig, role: 'api' | 'syncer'): Explained {
  const { workspaceSecrets } = namesOf(stage);
  const copies = stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${workspaceSecrets}${role === 'api' ? 'bootstrap/' : ''}*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const actions = role === 'api' ? [...WRITING] : ['secretsmanager:DeleteSecret', ...WRITING];
  // Without a path: the core names roles so, and a pattern must not reach further.
  const roles = stage.syncAccounts.map(
    (account) => `arn:${stack.partition}:iam::${account}:role/lockzero-sync-*`,
  );
  return {
    statements: [
      new PolicyStatement({ actions, resources: [copies] }),
      ...(roles.length === 0 ? [] : [new PolicyStatement({ actions: ['sts:AssumeRole'], resources: roles })]),
    ],
    accepted: [
      {
        reason:
          'Workspaces and their secrets come and go: what their names begin with is the least that can be named beforehand. Of customers’ roles, each trusts one workspace.',
        rules: [copies, ...roles].map((arn) => `AwsSolutions-IAM5[Resource::${printed(stack, arn)}]`),
      },
    ],
  };
}

/** What functions that write copies must be told. */
export function syncEnvironment({ syncAccounts }: StageConfig): Record<string, string> {
  return syncAccounts.length === 0 ? {} : { SYNC_ACCOUNTS: syncAccounts.join(',') };
}
