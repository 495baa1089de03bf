import { execFileSync } from 'node:child_process';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import { cliCommands, cloudFormationTemplate } from '../../../core/encryption-keys/key-template.ts';
import { decide, readPolicy } from '../../../local/kms/policy.ts';
import { policyOfTemplate } from '../../support/customer-account.ts';
import { CUSTOMER_ACCOUNT, CUSTOMER_KEYS } from '../../support/memory-customer-keys.ts';

const WORKSPACE = `ws_${'a'.repeat(32)}`;
const VAULT_ACCOUNT = '000000000000';
const VAULT_KEY = `arn:aws:kms:eu-central-1:${VAULT_ACCOUNT}:key/values`;
const { api, rewrapper, syncer } = CUSTOMER_KEYS.users;
const statements = keyPolicyStatements(WORKSPACE, VAULT_KEY, CUSTOMER_KEYS.users);
const template = cloudFormationTemplate(WORKSPACE, statements);
const policy = readPolicy(policyOfTemplate(template, CUSTOMER_ACCOUNT));
const context = { secretId: 'sec_1', version: '1', workspaceId: WORKSPACE };

const USE = ['Decrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo', 'DescribeKey'];
const NEVER = [
  'CreateGrant',
  'Encrypt',
  'GenerateDataKeyWithoutPlaintext',
  'GetKeyPolicy',
  'PutKeyPolicy',
  'DisableKey',
  'EnableKey',
  'RevokeGrant',
  'ListGrants',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'TagResource',
  'UpdateAlias',
  'ReplicateKey',
  'RetireGrant',
];

/** What of all that somebody may do. */
function allowed(principalArn: string, given: Readonly<Record<string, string>> = context): string[] {
  const [, , , , accountId = ''] = principalArn.split(':');
  return [...USE, ...NEVER].filter(
    (action) =>
      decide(policy, { accountId, principalArn, action: `kms:${action}`, context: given }) === 'allowed',
  );
}

describe('the policy of a key that is made from the template', () => {
  it.each([
    ['the function that serves requests', api, USE],
    ['the one that moves values', rewrapper, ['ReEncryptFrom', 'ReEncryptTo']],
    ['the one that syncs', syncer, ['Decrypt']],
    ['any other role of the vault', api.replace('-api', '-verifier'), []],
    ['a role whose name only begins so', `${api}-x`, []],
    ['the root of the account of the vault', `arn:aws:iam::${VAULT_ACCOUNT}:root`, []],
    ['a role of that name elsewhere', api.replace(VAULT_ACCOUNT, '444455556666'), []],
  ])('lets %s do this much', (_, principal, actions) => {
    expect(allowed(principal)).toEqual(actions);
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['that of another workspace', { ...context, workspaceId: `ws_${'b'.repeat(32)}` }],
    ['one without a workspace', { secretId: 'sec_1', version: '1' }],
    ['one without a secret', { version: '1', workspaceId: WORKSPACE }],
    ['one without a version', { secretId: 'sec_1', workspaceId: WORKSPACE }],
    ['one with more in it', { ...context, more: '1' }],
  ])('lets nobody of the vault use the key in another context: %s', (_, other) => {
    for (const role of [api, rewrapper, syncer])
      expect(allowed(role, other)).toEqual(role === api ? ['DescribeKey'] : []);
  });

  it('lets its account manage the key, and nobody there use it, or hand it out', () => {
    const admin = `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/admin`;
    expect(allowed(admin)).toEqual(
      expect.arrayContaining(['PutKeyPolicy', 'DisableKey', 'ScheduleKeyDeletion']),
    );
    const forbidden = [
      'Decrypt',
      'GenerateDataKey',
      'ReEncryptFrom',
      'ReEncryptTo',
      'Encrypt',
      'CreateGrant',
    ];
    for (const action of forbidden) expect(allowed(admin)).not.toContain(action);
  });

  it('is what the API hands out, with the administration of the account before it', () => {
    const { Statement: all } = JSON.parse(policyOfTemplate(template, CUSTOMER_ACCOUNT));
    expect(all.slice(1)).toEqual(statements);
    expect(all[0].Principal).toEqual({ AWS: `arn:aws:iam::${CUSTOMER_ACCOUNT}:root` });
    expect(JSON.stringify(all)).not.toContain('kms:ViaService');
  });

  it('names a role once where it has several tasks', () => {
    const one = keyPolicyStatements(WORKSPACE, VAULT_KEY, { api, rewrapper: api, syncer: api });
    expect(one.map(({ Condition }) => Condition['ArnEquals']?.['aws:PrincipalArn'])).toEqual(
      Array(4).fill([api]),
    );
  });
});

it('a template makes a key that outlives its stack and rotates, an alias, and shows the ARN', () => {
  const { Resources: resources, Outputs: outputs } = JSON.parse(template);
  expect(resources.Key).toMatchObject({
    Type: 'AWS::KMS::Key',
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: { EnableKeyRotation: true, PendingWindowInDays: 30 },
  });
  expect(resources.Alias.Properties).toEqual({
    AliasName: `alias/lockzero-${WORKSPACE}`,
    TargetKeyId: { Ref: 'Key' },
  });
  expect(outputs.KeyArn.Value).toEqual({ 'Fn::GetAtt': ['Key', 'Arn'] });
});

it('the commands for the AWS CLI make a key with the same policy, in the region of the vault', () => {
  const commands = cliCommands(WORKSPACE, statements, VAULT_KEY);
  // In place of the AWS CLI: says who it is, and else notes what it was asked, an argument on each line.
  const aws = `aws() {
    if [ "$1" = sts ]; then echo ${CUSTOMER_ACCOUNT}; return; fi
    printf '%s\\n' "$@" "--" >&2
    echo made
  }`;
  const script = `exec 2>&1\n${aws}\n${commands}`;
  const output = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  const [create = '', rotate = ''] = output.split('--\n');
  const asked = create.trimEnd().split('\n');
  expect(asked.slice(0, 4)).toEqual(['kms', 'create-key', '--region', 'eu-central-1']);
  const given = asked[asked.indexOf('--policy') + 1] ?? '';
  expect(JSON.parse(given)).toEqual(JSON.parse(policyOfTemplate(template, CUSTOMER_ACCOUNT)));
  expect(rotate).toBe('kms\nenable-key-rotation\n--region\neu-central-1\n--key-id\nmade\n');
  expect(output.endsWith('made\n')).toBe(true);
});

it('in another partition, account and roles are named in that one', () => {
  const govKey = 'arn:aws-us-gov:kms:us-gov-west-1:000000000000:key/values';
  const [first] = keyPolicyStatements(WORKSPACE, govKey, CUSTOMER_KEYS.users);
  expect(first?.Principal.AWS).toBe('arn:aws-us-gov:iam::000000000000:root');
  expect(cliCommands(WORKSPACE, statements, govKey)).toContain('arn:aws-us-gov:iam::\'"$ACCOUNT"\':root');
});
