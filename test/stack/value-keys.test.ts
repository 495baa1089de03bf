import { parseStage, type StageConfig } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { findTenant } from '../../lib/tenant.ts';
import { type Deployment, deploy, may } from './deployment.ts';
import { ACCOUNT, list, type Statement } from './policy.ts';

const CUSTOMER = '444455556666';
const keyOf = (account: string, region: string) =>
  `arn:aws:kms:${region}:${account}:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f`;

const production = findStage('production');
const tenant = tenantOf({
  tenant: 'acme',
  region: 'eu-central-1',
  byokKeyArn: keyOf(CUSTOMER, 'eu-central-1'),
});

function tenantOf(options: Record<string, string>): StageConfig {
  const stage = findTenant((name) => options[name]);
  if (stage === undefined) throw new Error('These options name no tenant.');
  return stage;
}

/** Every call that uses a key, lets somebody else use it, or takes it away to where it can be used. */
const USES = [
  'kms:CreateGrant',
  'kms:Decrypt',
  'kms:DeriveSharedSecret',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyPair',
  'kms:GenerateDataKeyPairWithoutPlaintext',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:GenerateMac',
  'kms:GetParametersForImport',
  'kms:GetPublicKey',
  'kms:ImportKeyMaterial',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:ReplicateKey',
  'kms:RetireGrant',
  'kms:Sign',
  'kms:UpdatePrimaryRegion',
  'kms:Verify',
  'kms:VerifyMac',
];

const SERVICES = [
  'apigateway',
  'backup',
  'budgets',
  'cloudtrail',
  'cloudwatch',
  'dynamodb',
  'events',
  'lambda',
  'logs.us-east-1',
  's3',
  'scheduler',
  'secretsmanager',
  'sns',
].map((name) => `${name}.amazonaws.com`);

type Context = Readonly<Record<string, string | readonly string[]>>;

/** A call with an encryption context, as KMS presents it to conditions. */
function inContext(context: Record<string, string>, more: Context = {}): Context {
  const keys = Object.keys(context);
  return {
    ...Object.fromEntries(keys.map((key) => [`kms:EncryptionContext:${key}`, context[key] ?? ''])),
    ...(keys.length === 0 ? {} : { 'kms:EncryptionContextKeys': keys }),
    ...more,
  };
}

const VALUE = { secretId: 'sec_1', version: '1', workspaceId: 'ws_1' };
const exact = inContext(VALUE);

/** Contexts of nothing that the vault ever wraps. */
function wrongContexts(region: string): Record<string, Context> {
  const through = (service: string) =>
    inContext(VALUE, { 'kms:ViaService': `${service}.${region}.amazonaws.com` });
  return {
    none: inContext({}),
    'no workspace': inContext({ secretId: 'sec_1', version: '1' }),
    'no version': inContext({ secretId: 'sec_1', workspaceId: 'ws_1' }),
    'no secret': inContext({ version: '1', workspaceId: 'ws_1' }),
    'one key too many': inContext({ ...VALUE, extra: 'x' }),
    'another key instead': inContext({ secretId: 'sec_1', version: '1', workspace: 'ws_1' }),
    'another case': inContext({ secretid: 'sec_1', version: '1', workspaceId: 'ws_1' }),
    'through DynamoDB': through('dynamodb'),
    'through S3': through('s3'),
    'through Secrets Manager': through('secretsmanager'),
    'through Lambda': through('lambda'),
    'through Backup': through('backup'),
  };
}

const OPEN_AND_SEAL = ['kms:Decrypt', 'kms:GenerateDataKey'];
const MOVE = ['kms:ReEncryptFrom', 'kms:ReEncryptTo'];

/** Who uses keys for values, and how. Nobody else does anything. */
function intended(recovery: boolean): Record<string, readonly string[]> {
  return {
    api: [...OPEN_AND_SEAL, ...MOVE],
    rewrapper: MOVE,
    syncer: ['kms:Decrypt'],
    ...(recovery ? { restore: ['kms:Decrypt'] } : {}),
  };
}

interface Case {
  readonly name: string;
  readonly stage: StageConfig;
  readonly deployment: Deployment;
}

const withKeys = (stage: StageConfig, more: object) => parseStage({ ...stage, ...more });

const cases: readonly Case[] = [
  { name: 'production', stage: production },
  { name: 'production that recovers', stage: withKeys(production, { recovery: true, secretsKeys: [2, 1] }) },
  { name: 'a tenant', stage: tenant },
  { name: 'a tenant that recovers', stage: withKeys(tenant, { recovery: true }) },
].map((each) => ({ ...each, deployment: deploy(each.stage) }));

/** Everybody who could call: all roles of the deployment, and people and programs beside it. */
function principalsOf({ stage, deployment }: Case): string[] {
  const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
  return [
    ...[...deployment.roles.values()].map(({ arn }) => arn),
    role('Administrator'),
    role(`lockzero-other-${stage.region}-api`),
    role(`lockzero-${stage.name}-${stage.region}-api-2`),
    role(`lockzero-${stage.name}-${stage.region}-restore`),
    `arn:aws:iam::${ACCOUNT}:root`,
    `arn:aws:iam::${ACCOUNT}:user/ada`,
    `arn:aws:iam::${CUSTOMER}:root`,
    `arn:aws:iam::${CUSTOMER}:role/lockzero-${stage.name}-${stage.region}-api`,
  ];
}

/** Who may do what with a key in a context, as `<role>: <action>`. */
function usersOf(
  each: Case,
  keyArn: string,
  policy: readonly Statement[],
  context: Context,
  {
    actions = USES,
    principals = principalsOf(each),
  }: { actions?: readonly string[]; principals?: readonly string[] } = {},
): string[] {
  const prefix = `arn:aws:iam::${ACCOUNT}:role/lockzero-${each.stage.name}-${each.stage.region}-`;
  const resourceAccount = { 'aws:ResourceAccount': keyArn.split(':')[4] ?? '' };
  return [...new Set(principals)].flatMap((principal) =>
    actions
      .filter((action) =>
        may(each.deployment, policy, {
          principal,
          action,
          resource: keyArn,
          context: { ...context, ...resourceAccount },
        }),
      )
      .map((action) => `${principal.replace(prefix, '')}: ${action}`),
  );
}

function lines(users: Record<string, readonly string[]>): string[] {
  return Object.entries(users)
    .flatMap(([role, actions]) => actions.map((action) => `${role}: ${action}`))
    .sort();
}

/** In a key policy the resource `*` means this key. */
function policyOfKey({ deployment }: Case, keyArn: string): readonly Statement[] {
  const policy = deployment.keys.get(keyArn);
  if (policy === undefined) throw new Error(`There is no key ${keyArn}.`);
  return policy;
}

const ownKeysOf = ({ deployment }: Case): string[] =>
  [...deployment.keys.keys()].filter((arn) => /key\/Secrets/.test(arn));

/** The policy of the customer's key, as the outputs say, beside its account, which manages it. */
function tenantKeyPolicy({ deployment }: Case): readonly Statement[] {
  const statements = [...deployment.outputs]
    .filter(([name]) => name.startsWith('TenantKeyStatement'))
    .map(([, json]) => JSON.parse(json) as Statement);
  const manages: Statement = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${CUSTOMER}:root` },
    Action: ['kms:PutKeyPolicy', 'kms:DisableKey'],
    Resource: '*',
  };
  return [manages, ...statements];
}

/** The keys for values of a deployment, with their policies. */
function valueKeysOf(each: Case): readonly (readonly [string, readonly Statement[]])[] {
  const { tenantKeyArn } = each.stage;
  const own = ownKeysOf(each).map((keyArn) => [keyArn, policyOfKey(each, keyArn)] as const);
  return tenantKeyArn === undefined ? own : [...own, [tenantKeyArn, tenantKeyPolicy(each)] as const];
}

/** The most careless policy that a key can have: it lets the vault's account do everything. */
const CARELESS: readonly Statement[] = [
  { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
];

/** The roles of the vault with policies of ours: to others, a key that lets everybody in is as good as theirs. */
function ownRoles({ deployment }: Case): string[] {
  return [...deployment.roles.values()].flatMap(({ arn, statements }) =>
    statements === undefined ? [] : [arn],
  );
}

describe.each(cases)('the keys for values of $name', (each) => {
  test('are all those that functions are told of', () => {
    const keys = valueKeysOf(each).map(([arn]) => arn);
    expect(keys).toHaveLength(
      each.stage.secretsKeys.length + (each.stage.tenantKeyArn === undefined ? 0 : 1),
    );
    for (const name of ['api', 'rewrapper', 'syncer', 'reconciler']) {
      const { SECRETS_KEY_ARNS = '', TENANT_KEY_ARN } = each.deployment.environmentOf(name);
      const own = SECRETS_KEY_ARNS.split(',');
      expect([...own, TENANT_KEY_ARN].filter(Boolean).sort()).toEqual(keys.sort());
      // The first wraps.
      const ids = each.stage.secretsKeys.map((number) =>
        number === 1 ? 'SecretsKey' : `Secrets${number}Key`,
      );
      expect(own.map((arn) => ids.findIndex((id) => arn.includes(`:key/${id}`)))).toEqual(
        own.map((_, index) => index),
      );
    }
  });

  test('are used by the intended roles, in the exact context and directly, and by nobody else', () => {
    for (const [keyArn, policy] of valueKeysOf(each)) {
      expect([keyArn, usersOf(each, keyArn, policy, exact).sort()]).toEqual([
        keyArn,
        lines(intended(each.stage.recovery)),
      ]);
    }
  });

  test.each(Object.entries(wrongContexts(each.stage.region)))('are used by nobody: %s', (_, context) => {
    for (const [keyArn, policy] of valueKeysOf(each)) {
      expect([keyArn, usersOf(each, keyArn, policy, context)]).toEqual([keyArn, []]);
    }
  });

  test('are used by nobody else even where all of the account may do everything by IAM', () => {
    const lax: Case = { ...each, deployment: { ...each.deployment, roles: new Map() } };
    const principals = principalsOf(each);
    for (const [keyArn, policy] of valueKeysOf(each)) {
      expect(usersOf(lax, keyArn, policy, exact, { principals }).sort()).toEqual(
        lines(intended(each.stage.recovery)),
      );
      for (const context of Object.values(wrongContexts(each.stage.region))) {
        expect(usersOf(lax, keyArn, policy, context, { principals })).toEqual([]);
      }
    }
  });

  test('are used by no other role even where the policy of the key lets everybody in', () => {
    const principals = ownRoles(each);
    for (const [keyArn] of valueKeysOf(each)) {
      expect(usersOf(each, keyArn, CARELESS, exact, { principals }).sort()).toEqual(
        lines(intended(each.stage.recovery)),
      );
      // Wrapping has no condition in IAM: the proof of a key has to meet the key's own refusal.
      for (const context of Object.values(wrongContexts(each.stage.region))) {
        expect(usersOf(each, keyArn, CARELESS, context, { principals })).toEqual([
          'api: kms:GenerateDataKey',
        ]);
      }
    }
  });

  test('are used by no service of AWS', () => {
    for (const [, policy] of valueKeysOf(each)) {
      for (const context of [exact, ...Object.values(wrongContexts(each.stage.region))]) {
        for (const principal of SERVICES) {
          for (const action of USES)
            expect(may(each.deployment, policy, { principal, action, context })).toBe(false);
        }
      }
    }
  });

  test('can be granted by nobody, whatever the constraints of the grant', () => {
    for (const [keyArn, policy] of valueKeysOf(each)) {
      for (const context of [exact, { ...exact, 'kms:GrantIsForAWSResource': 'true' }, {}]) {
        expect(usersOf(each, keyArn, policy, context, { actions: ['kms:CreateGrant'] })).toEqual([]);
      }
      const actions = policy.flatMap(({ Action }) => list(Action));
      expect(actions.filter((action) => /\*|CreateGrant/.test(action))).toEqual([]);
    }
  });

  test('are opened by roles that only their functions have, or an operator with a second factor', () => {
    const { deployment, stage } = each;
    const users = Object.keys(intended(stage.recovery)).map(
      (name) => `lockzero-${stage.name}-${stage.region}-${name}`,
    );
    for (const name of users) {
      const trust = deployment.roles.get(name)?.trust ?? [];
      const isRestore = name.endsWith('-restore');
      expect([name, trust]).toEqual([
        name,
        [
          isRestore
            ? {
                Effect: 'Allow',
                Action: 'sts:AssumeRole',
                Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
                Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
              }
            : { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } },
        ],
      ]);
    }
    const roles = [...deployment.functionRoles.values()];
    expect(new Set(roles).size).toBe(roles.length);
  });

  test('cannot be reached by another way: no role changes policies, code, roles or grants', () => {
    const { deployment } = each;
    // Roles with a policy that AWS wrote work for AWS Backup and API Gateway: no key for values knows them.
    const actions = [...deployment.roles.values()].flatMap(({ statements = [] }) =>
      statements.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => list(Action)),
    );
    const powers =
      /^(\*|iam:|kms:(Put|Create|Update|Enable|Disable|Schedule|Retire|\*)|lambda:(?!InvokeFunction$)|sts:|cloudformation:)/;
    expect([...new Set(actions.filter((action) => powers.test(action)))]).toEqual([]);
    expect(deployment.resourceTypes).not.toContain('AWS::KMS::ReplicaKey');
  });

  test('are known to the reconciliation, with all who may open and move', () => {
    const { stage, deployment } = each;
    const arns = (names: readonly string[]) =>
      names
        .map((name) => `arn:aws:iam::${ACCOUNT}:role/lockzero-${stage.name}-${stage.region}-${name}`)
        .join(',');
    expect(deployment.environmentOf('reconciler')).toMatchObject({
      DECRYPTING_ROLE_ARNS: arns(['api', 'syncer', ...(stage.recovery ? ['restore'] : [])]),
      REWRAPPING_ROLE_ARNS: arns(['api', 'rewrapper']),
    });
    expect(deployment.environmentOf('api')).toMatchObject({
      KEY_USER_ROLE_ARNS: arns(['api', 'rewrapper', 'syncer']),
    });
  });
});

describe('a key that a workspace brings', () => {
  const region = production.region;
  const other = '777788889999';
  const granted = `arn:aws:kms:${region}:${ACCOUNT}:key/mrk-0a1b2c3d4e5f60718293a4b5c6d7e8f9`;
  const listed = caseOf({
    customerKeyAccounts: [CUSTOMER],
    grantedKeys: [{ workspaceId: `ws_${'0'.repeat(32)}`, keyArn: granted }],
    recovery: true,
  });
  const open = caseOf({ customerKeyAccounts: 'any' });
  const closed = cases[0] as Case;

  function caseOf(more: object): Case {
    const stage = withKeys(production, more);
    return { name: 'bringing', stage, deployment: deploy(stage) };
  }

  /** What our own policies leave open, should the key's not. A restore never opens values under keys that were brought. */
  const OURS = { api: [...OPEN_AND_SEAL, ...MOVE], rewrapper: MOVE, syncer: ['kms:Decrypt'] };

  const ours = (each: Case, keyArn: string, context: Context, actions: readonly string[] = USES) =>
    usersOf(each, keyArn, CARELESS, context, { actions, principals: ownRoles(each) }).sort();

  test.each<[string, Case, string]>([
    ['of an account that the stage lists', listed, keyOf(CUSTOMER, region)],
    ['of any other account, where the stage takes all', open, keyOf(other, region)],
    ['of the vault’s own account, if it was given', listed, granted],
  ])('%s is used as the vault’s own is', (_, each, keyArn) => {
    expect(ours(each, keyArn, exact)).toEqual(lines(OURS));
  });

  test('must itself refuse to wrap in a wrong context; whatever opens is refused by our policies already', () => {
    for (const context of Object.values(wrongContexts(region))) {
      expect(ours(listed, keyOf(CUSTOMER, region), context)).toEqual(['api: kms:GenerateDataKey']);
    }
  });

  test.each<[string, Case, string]>([
    ['of an account that the stage does not list', listed, keyOf(other, region)],
    ['of another region', open, keyOf(other, 'eu-west-1')],
    ['of any account, where the stage takes none', closed, keyOf(CUSTOMER, region)],
    ['of the vault’s own account', open, keyOf(ACCOUNT, region)],
    ['of the vault’s own account beside the one that was given', listed, keyOf(ACCOUNT, region)],
  ])('%s is used by no role of ours', (_, each, keyArn) => {
    for (const context of [exact, {}]) {
      expect(ours(each, keyArn, context, [...USES, 'kms:DescribeKey'])).toEqual([]);
    }
  });

  test('is described by the api alone', () => {
    expect(ours(listed, keyOf(CUSTOMER, region), {}, ['kms:DescribeKey'])).toEqual(['api: kms:DescribeKey']);
  });

  test('is known to the api by account, and by workspace where it was given', () => {
    expect(listed.deployment.environmentOf('api')).toMatchObject({
      CUSTOMER_KEY_ACCOUNTS: CUSTOMER,
      GRANTED_KEYS: JSON.stringify([{ workspaceId: `ws_${'0'.repeat(32)}`, keyArn: granted }]),
    });
    expect(open.deployment.environmentOf('api')).toMatchObject({ CUSTOMER_KEY_ACCOUNTS: 'any' });
    for (const name of ['CUSTOMER_KEY_ACCOUNTS', 'GRANTED_KEYS', 'TENANT_KEY_ARN'])
      expect(closed.deployment.environmentOf('api')).not.toHaveProperty(name);
  });
});
