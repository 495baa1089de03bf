import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { printed } from './constructs/acknowledge.ts';
import type { Explained } from './constructs/function-role.ts';
import { accountMay, onlyRoles } from './key-use.ts';
import { namesOf, type RoleName, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

/** Who may use keys for values, and how. Nobody else may, and nobody may pass it on. */
interface ValueKeyUse {
  readonly sid: string;
  readonly roles: readonly RoleName[];
  readonly actions: readonly string[];
}

/** The roles that work with values under keys that the deployment does not own itself. */
export type ValueKeyUser = 'api' | 'rewrapper' | 'syncer' | 'restore';

function valueKeyUses({ recovery }: StageConfig): readonly ValueKeyUse[] {
  return [
    { sid: 'LockzeroOpensAndSeals', roles: ['api'], actions: ['kms:Decrypt', 'kms:GenerateDataKey'] },
    {
      sid: 'LockzeroMovesValues',
      roles: ['api', 'rewrapper'],
      actions: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
    },
    { sid: 'LockzeroSyncsSecrets', roles: ['syncer'], actions: ['kms:Decrypt'] },
    ...(recovery
      ? [{ sid: 'LockzeroOpensRestoredSamples', roles: ['restore'], actions: ['kms:Decrypt'] } as const]
      : []),
  ];
}

/** The encryption context of every data key: exactly these three, no fewer and no more. */
const CONTEXT_KEYS: readonly string[] = ['secretId', 'version', 'workspaceId'];

/**
 * In the context of one version of one secret, and called by the role itself: a service that calls in its name would set
 * `kms:ViaService`. ForAllValues also holds for an empty context; Null "false" makes each of the three a must.
 */
const DIRECTLY_IN_CONTEXT = {
  'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': CONTEXT_KEYS },
  Null: {
    ...Object.fromEntries(CONTEXT_KEYS.map((key) => [`kms:EncryptionContext:${key}`, 'false'])),
    'kms:ViaService': 'true',
  },
};

/** What the policy of a key says that wraps data keys of values, beside who manages it. */
export function valueKeyPolicy(stage: StageConfig): PolicyStatement[] {
  return valueKeyUses(stage).map(({ sid, roles, actions }) =>
    accountMay(sid, actions, { ...onlyRoles(stage, roles), ...DIRECTLY_IN_CONTEXT }),
  );
}

/** What the policy of the customer's key has to say where it wraps the values of the whole deployment. */
export function tenantKeyPolicy(stage: StageConfig): PolicyStatement[] {
  return [
    ...valueKeyPolicy(stage),
    // To describe a key there is no context.
    accountMay('LockzeroLooksAtKey', ['kms:DescribeKey'], onlyRoles(stage, ['api'])),
  ];
}

/**
 * The uses of one role, on every key that may wrap values: the deployment's own, all of which are in use while values move
 * and while an earlier deployment still answers; the customer's of a tenant stack, with those before it for the same
 * reason; and those that workspaces brought.
 *
 * Wrapping and looking have no condition on the context: before a key is taken, the vault tries whether it refuses a wrong
 * one, and that refusal must be the key's own. A role that restores uses no workspace's key: their policies do not know it.
 */
export function useValueKeys(
  stack: Stack,
  stage: StageConfig,
  secretsKeyArns: readonly string[],
  role: ValueKeyUser,
): Explained {
  const uses = valueKeyUses(stage).filter(({ roles }) => roles.includes(role));
  const actions = uses.flatMap((use) => use.actions).filter((action) => action !== 'kms:GenerateDataKey');
  const { grantedKeys, customerKeyAccounts } = stage;
  const bringsKeys = role !== 'restore';
  const granted = bringsKeys ? grantedKeys.map(({ keyArn }) => keyArn) : [];
  const named = [...new Set([...secretsKeyArns, ...tenantKeyArns(stage), ...granted])];
  const accounts = customerKeyAccounts === 'any' ? ['*'] : customerKeyAccounts;
  const foreign = bringsKeys ? accounts.map((account) => keysOf(stack, stage, account)) : [];
  // A pattern of accounts never means the vault's own, where other systems have keys.
  const notOwn = { StringNotEquals: { 'aws:ResourceAccount': stack.account } };
  const allow = (resources: readonly string[], conditions: Record<string, unknown>): PolicyStatement[] => {
    if (resources.length === 0) return [];
    const opening = new PolicyStatement({
      actions,
      resources: [...resources],
      conditions: { ...conditions, ...DIRECTLY_IN_CONTEXT },
    });
    if (role !== 'api') return [opening];
    const trying = ['kms:DescribeKey', 'kms:GenerateDataKey'];
    return [opening, new PolicyStatement({ actions: trying, resources: [...resources], conditions })];
  };
  return {
    statements: [...allow(named, {}), ...allow(foreign, notOwn)],
    accepted: foreign.map((arn) => ({
      reason:
        'Workspaces bring keys of accounts that the stage names; each key’s own policy decides whether it lets this role in.',
      rules: [`AwsSolutions-IAM5[Resource::${printed(stack, arn)}]`],
    })),
  };
}

function keysOf(stack: Stack, { region }: StageConfig, account: string): string {
  return `arn:${stack.partition}:kms:${region}:${account}:key/*`;
}

/** The customer's keys of a tenant stack: the one that wraps, and those that values may still lie under. */
export function tenantKeyArns({ tenantKeyArn, earlierTenantKeyArns }: StageConfig): readonly string[] {
  return tenantKeyArn === undefined ? [] : [tenantKeyArn, ...earlierTenantKeyArns];
}

/**
 * What a function must be told that works with values under any key. Of the tenant's earlier keys it needs no word: a
 * stored version names the key that it lies under.
 */
export function valueKeyEnvironment(
  { tenantKeyArn }: StageConfig,
  secretsKeyArns: readonly string[],
): Record<string, string> {
  return {
    SECRETS_KEY_ARNS: secretsKeyArns.join(','),
    ...(tenantKeyArn === undefined ? {} : { TENANT_KEY_ARN: tenantKeyArn }),
  };
}

/** What the function that takes customers' keys must be told besides. */
export function customerKeyEnvironment(stage: StageConfig): Record<string, string> {
  const { customerKeyAccounts, grantedKeys } = stage;
  const { role } = namesOf(stage);
  const accounts = customerKeyAccounts === 'any' ? 'any' : customerKeyAccounts.join(',');
  return {
    // In this order: who opens and seals, who moves, who syncs.
    KEY_USER_ROLE_ARNS: (['api', 'rewrapper', 'syncer'] as const)
      .map((name) => roleArn(role(name)))
      .join(','),
    ...(accounts === '' ? {} : { CUSTOMER_KEY_ACCOUNTS: accounts }),
    ...(grantedKeys.length === 0 ? {} : { GRANTED_KEYS: JSON.stringify(grantedKeys) }),
  };
}

/** The roles that may open values, or move them from key to key, as the reconciliation must know them. */
export function valueKeyRoles(stage: StageConfig, action: 'kms:Decrypt' | 'kms:ReEncryptFrom'): string {
  const uses = valueKeyUses(stage).filter(({ actions }) => actions.includes(action));
  return uses
    .flatMap(({ roles }) => roles)
    .map((name) => roleArn(namesOf(stage).role(name)))
    .join(',');
}
