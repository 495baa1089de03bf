import { parseStage, type StageConfig } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { deploy, may } from './deployment.ts';
import {
  CARELESS,
  type Case,
  CUSTOMER,
  exact,
  lines,
  MOVE,
  OPEN_AND_SEAL,
  ownRoles,
  principalsOf,
  USES,
  usersOf,
  wrongContexts,
} from './key-users.ts';
import { ACCOUNT, list, type Statement } from './policy.ts';
import { resourcesOf, synthAll } from './synth.ts';
import { tenantOf, valueKey } from './tenant-of.ts';

const production = findStage('production');
const tenant = tenantOf({
  tenant: 'acme',
  region: 'eu-central-1',
  byokKeyArn: valueKey('eu-central-1'),
});

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

/** Who uses keys for values, and how. Nobody else does anything. */
function intended(recovery: boolean): Record<string, readonly string[]> {
  return {
    api: [...OPEN_AND_SEAL, ...MOVE],
    rewrapper: MOVE,
    syncer: ['kms:Decrypt'],
    ...(recovery ? { restore: ['kms:Decrypt'] } : {}),
  };
}

/** Keys that tenants had before; one lies in the vault's own account. */
const EARLIER = [CUSTOMER, ACCOUNT].map(
  (account) => `arn:aws:kms:eu-central-1:${account}:key/9f8e7d6c-9f8e-9f8e-9f8e-9f8e7d6c5b4a`,
);

const withKeys = (stage: StageConfig, more: object) => parseStage({ ...stage, ...more });

const moving = withKeys(tenant, {
  earlierTenantKeyArns: EARLIER,
  customerTrail: { eventBusArn: `arn:aws:events:eu-central-1:${CUSTOMER}:event-bus/lockzero` },
  recovery: true,
});
const movingStacks = synthAll(moving);

const cases: readonly Case[] = [
  { name: 'production', stage: production },
  { name: 'production that recovers', stage: withKeys(production, { recovery: true, secretsKeys: [2, 1] }) },
  { name: 'a tenant', stage: tenant },
  { name: 'a tenant that recovers', stage: withKeys(tenant, { recovery: true }) },
  { name: 'a tenant that moves to another key, and recovers', stage: moving },
].map((each) => ({
  ...each,
  deployment: each.stage === moving ? deploy(moving, movingStacks) : deploy(each.stage),
}));

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

/** The keys for values of a deployment, with their policies: one that a tenant had before keeps what it has. */
function valueKeysOf(each: Case): readonly (readonly [string, readonly Statement[]])[] {
  const { tenantKeyArn, earlierTenantKeyArns } = each.stage;
  const own = ownKeysOf(each).map((keyArn) => [keyArn, policyOfKey(each, keyArn)] as const);
  const tenants = tenantKeyArn === undefined ? [] : [tenantKeyArn, ...earlierTenantKeyArns];
  return [...own, ...tenants.map((keyArn) => [keyArn, tenantKeyPolicy(each)] as const)];
}

describe.each(cases)('the keys for values of $name', (each) => {
  test('are all those that functions are told of, but for earlier ones of a tenant: values name them', () => {
    const { earlierTenantKeyArns } = each.stage;
    const keys = valueKeysOf(each)
      .map(([arn]) => arn)
      .filter((arn) => !earlierTenantKeyArns.includes(arn));
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

describe('a key that a tenant had before', () => {
  const caseOf = (stage: StageConfig): Case => {
    const found = cases.find((each) => each.stage === stage);
    if (found === undefined) throw new Error('There is no case of this stage.');
    return found;
  };

  test('keeps its statements, as the outputs say', () => {
    const descriptions = Object.values(movingStacks.keys?.findOutputs('*') ?? {}).map(({ Description }) =>
      String(Description),
    );
    const until = `and stays in that of ${EARLIER.join(', ')} until the row deployment_key.migration_completed`;
    const told = descriptions.filter(
      (text) => text === `Belongs into the policy of ${moving.tenantKeyArn}, ${until}`,
    );
    expect(told).toHaveLength(tenantKeyPolicy(caseOf(moving)).length - 1);
  });

  test('is described by the api alone, like the one after it', () => {
    const each = caseOf(moving);
    const actions = ['kms:DescribeKey'];
    for (const keyArn of EARLIER)
      expect(usersOf(each, keyArn, tenantKeyPolicy(each), {}, { actions })).toEqual(['api: kms:DescribeKey']);
  });

  test('is used by no role once the stage names it no more, even if its policy lets everybody in', () => {
    const each = caseOf(tenant);
    const principals = ownRoles(each);
    for (const keyArn of EARLIER) {
      for (const context of [exact, {}])
        expect(usersOf(each, keyArn, CARELESS, context, { principals })).toEqual([]);
    }
  });

  test('shows its calls on the customer’s event bus, too', () => {
    const { watch } = movingStacks;
    const rules = watch === undefined ? [] : resourcesOf(watch, 'AWS::Events::Rule');
    const patterns = rules.map(([, { Properties }]) => JSON.stringify(Properties['EventPattern']));
    const keyArns = JSON.stringify([moving.tenantKeyArn, ...EARLIER]);
    expect(patterns.filter((pattern) => pattern.includes(`{"ARN":${keyArns}}`))).toHaveLength(1);
  });
});
