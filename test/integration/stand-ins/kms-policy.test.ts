import type { PolicyRequest } from '../../../local/kms/conditions.ts';
import { decide, defaultPolicy, readPolicy } from '../../../local/kms/policy.ts';

const VAULT = '000000000000';
const CUSTOMER = '111122223333';
const ROLE = `arn:aws:iam::${VAULT}:role/lockzero-local-api`;
const context = { workspaceId: 'ws_1', secretId: 'sec_1', version: '1' };
const vault: PolicyRequest = { accountId: VAULT, principalArn: ROLE, action: 'kms:Decrypt', context };
const customer: PolicyRequest = {
  ...vault,
  accountId: CUSTOMER,
  principalArn: `arn:aws:iam::${CUSTOMER}:root`,
};

const ALLOW = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' };

function policy(...statements: object[]) {
  return readPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
}

/** What comes of a call where one statement allows everything under a condition. */
function decideUnder(Condition: object, request: Partial<PolicyRequest> = {}) {
  return decide(policy({ ...ALLOW, Condition }), { ...vault, ...request });
}

const [YES, NO] = ['allowed', 'unmentioned'] as const;

test('the default policy lets in its account, and nobody else', () => {
  const standard = readPolicy(defaultPolicy(CUSTOMER));
  expect(decide(standard, customer)).toBe(YES);
  expect(decide(standard, { ...customer, principalArn: `arn:aws:iam::${CUSTOMER}:role/any` })).toBe(YES);
  expect(decide(standard, vault)).toBe(NO);
});

test.each([
  ['anybody', '*', YES],
  ['anybody of AWS', { AWS: '*' }, YES],
  ['its account', { AWS: VAULT }, YES],
  ['the root of its account', { AWS: `arn:aws:iam::${VAULT}:root` }, YES],
  ['itself', { AWS: ROLE }, YES],
  ['itself among others', { AWS: [CUSTOMER, ROLE] }, YES],
  ['another account', { AWS: CUSTOMER }, NO],
  ['another role', { AWS: `${ROLE}2` }, NO],
  ['the role of that name elsewhere', { AWS: ROLE.replace(VAULT, CUSTOMER) }, NO],
])('a statement about %s', (_, Principal, expected) => {
  expect(decide(policy({ ...ALLOW, Principal }), vault)).toBe(expected);
});

test.each([
  ['kms:Decrypt', YES],
  ['kms:decrypt', YES],
  ['kms:*', YES],
  ['*', YES],
  ['kms:De*', YES],
  ['kms:De??ypt', YES],
  [['kms:Encrypt', 'kms:Decrypt'], YES],
  ['kms:De', NO],
  ['kms:Encrypt', NO],
  ['kms:ReEncrypt*', NO],
])('a statement for %j', (Action, expected) => {
  expect(decide(policy({ ...ALLOW, Action }), vault)).toBe(expected);
});

test('a denial outweighs what allows, wherever it stands, and reaches no further than its condition', () => {
  const deny = {
    ...ALLOW,
    Effect: 'Deny',
    Condition: { StringNotEquals: { 'kms:EncryptionContext:workspaceId': 'ws_1' } },
  };
  const other = { ...vault, context: { ...context, workspaceId: 'ws_2' } };
  for (const both of [policy(ALLOW, deny), policy(deny, ALLOW)]) {
    expect(decide(both, vault)).toBe(YES);
    expect(decide(both, other)).toBe('denied');
    expect(decide(both, { ...vault, context: {} })).toBe('denied');
  }
  expect(decide(policy(deny), vault)).toBe(NO);
});

const WORKSPACE = 'kms:EncryptionContext:workspaceId';
const KEYS = 'kms:EncryptionContextKeys';
const NAMES = ['secretId', 'version', 'workspaceId'];

describe.each<[string, object, [Record<string, string>, string][]]>([
  [
    'StringEquals',
    { [WORKSPACE]: ['ws_0', 'ws_1'] },
    [
      [context, YES],
      [{ workspaceId: 'ws_2' }, NO],
      [{ workspaceId: 'WS_1' }, NO],
      [{}, NO],
      // The name has no case, as on AWS: only kms:EncryptionContextKeys tells it.
      [{ WORKSPACEID: 'ws_1' }, YES],
    ],
  ],
  [
    'StringNotEquals',
    { [WORKSPACE]: ['ws_0', 'ws_1'] },
    [
      [context, NO],
      [{ workspaceId: 'ws_2' }, YES],
      [{}, YES],
    ],
  ],
  [
    'StringLike',
    { [WORKSPACE]: 'w?_*.1' },
    [
      [{ workspaceId: 'ws_a.1' }, YES],
      [{ workspaceId: 'ws_.1' }, YES],
      [{ workspaceId: 'ws_ab1' }, NO],
      [{ workspaceId: 'xws_a.1' }, NO],
      [{}, NO],
    ],
  ],
  [
    'Null',
    { [WORKSPACE]: 'false' },
    [
      [context, YES],
      [{ workspaceId: '' }, YES],
      [{ secretId: 'sec_1' }, NO],
    ],
  ],
  [
    'Null',
    { [WORKSPACE]: true },
    [
      [context, NO],
      [{}, YES],
    ],
  ],
  [
    'ForAllValues:StringEquals',
    { [KEYS]: NAMES },
    [
      [context, YES],
      [{ version: '1' }, YES],
      [{ ...context, more: 'yes' }, NO],
      [{ ...context, WorkspaceId: 'ws_1' }, NO],
      // True of nothing at all, which is the trap in it.
      [{}, YES],
    ],
  ],
  [
    'ForAnyValue:StringEquals',
    { [KEYS]: NAMES },
    [
      [context, YES],
      [{ more: 'yes', version: '1' }, YES],
      [{ more: 'yes' }, NO],
      [{}, NO],
    ],
  ],
])('%s %j', (operator, asked, cases) => {
  test.each(cases)('under the context %j: %s', (given, expected) => {
    expect(decideUnder({ [operator]: asked }, { context: given })).toBe(expected);
  });
});

test.each([
  ['ArnEquals', ROLE, YES],
  ['ArnEquals', `arn:aws:iam::${VAULT}:role/lockzero-*-api`, YES],
  ['ArnLike', `arn:aws:iam::*:role/lockzero-local-???`, YES],
  ['ArnEquals', 'arn:aws:iam::*:role/lockzero-local', NO],
  ['ArnLike', 'arn:aws:*', NO],
  ['ArnLike', `arn:aws:iam::*`, NO],
  ['ArnEquals', ROLE.replace('role', 'user'), NO],
])('%s aws:PrincipalArn %s: %s', (operator, pattern, expected) => {
  expect(decideUnder({ [operator]: { 'aws:PrincipalArn': pattern } })).toBe(expected);
});

test.each([
  ['aws:PrincipalAccount', { StringEquals: { 'aws:PrincipalAccount': VAULT } }, YES],
  ['kms:CallerAccount', { StringEquals: { 'kms:CallerAccount': CUSTOMER } }, NO],
  ['a key in another case', { StringEquals: { 'KMS:callerAccount': VAULT } }, YES],
  ['kms:ViaService of a direct call', { StringLike: { 'kms:ViaService': '*' } }, NO],
  ['no kms:ViaService', { Null: { 'kms:ViaService': 'true' } }, YES],
  ['a grant for a service', { Bool: { 'kms:GrantIsForAWSResource': true } }, NO],
  [
    'two keys, of which one does not fit',
    { StringEquals: { [WORKSPACE]: 'ws_1', 'kms:CallerAccount': CUSTOMER } },
    NO,
  ],
  [
    'two operators, of which one does not fit',
    { StringEquals: { [WORKSPACE]: 'ws_1' }, Null: { [WORKSPACE]: true } },
    NO,
  ],
])('%s', (_, condition, expected) => {
  expect(decideUnder(condition)).toBe(expected);
});

test.each([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['no version', JSON.stringify({ Statement: [ALLOW] })],
  ['another version', JSON.stringify({ Version: '2008-10-17', Statement: [ALLOW] })],
  ['no statement', JSON.stringify({ Version: '2012-10-17' })],
  ['another member', JSON.stringify({ Version: '2012-10-17', Statement: [ALLOW], Extra: 1 })],
])('a policy that is %s is malformed', (_, text) => {
  expect(() => readPolicy(text)).toThrow(
    expect.objectContaining({ code: 'MalformedPolicyDocumentException' }),
  );
});

test.each([
  ['is text', 'Allow'],
  ['has another effect', { ...ALLOW, Effect: 'allow' }],
  ['names no principal', { ...ALLOW, Principal: undefined }],
  ['names a service', { ...ALLOW, Principal: { Service: 'logs.amazonaws.com' } }],
  ['names a session', { ...ALLOW, Principal: { AWS: `arn:aws:sts::${VAULT}:assumed-role/a/b` } }],
  ['names principals by a pattern', { ...ALLOW, Principal: { AWS: `arn:aws:iam::${VAULT}:role/*` } }],
  ['names all but one', { ...ALLOW, NotPrincipal: { AWS: ROLE } }],
  ['names no action', { ...ALLOW, Action: [] }],
  ['names an action of another service', { ...ALLOW, Action: 's3:GetObject' }],
  ['names all actions but one', { ...ALLOW, NotAction: 'kms:Decrypt' }],
  ['names no resource', { ...ALLOW, Resource: undefined }],
  ['names a resource', { ...ALLOW, Resource: 'arn:aws:kms:us-east-1:000000000000:key/1' }],
  ['has a condition that is none', { ...ALLOW, Condition: [] }],
  [
    'has an operator that is not known',
    { ...ALLOW, Condition: { StringEqualsIfExists: { [WORKSPACE]: 'a' } } },
  ],
  ['has a key that is not known', { ...ALLOW, Condition: { StringEquals: { 'aws:SourceIp': '::1' } } }],
  [
    'has a key without its name',
    { ...ALLOW, Condition: { StringEquals: { 'kms:EncryptionContext:': 'a' } } },
  ],
  ['compares many values with one', { ...ALLOW, Condition: { StringEquals: { [KEYS]: NAMES } } }],
  [
    'compares one value with many',
    { ...ALLOW, Condition: { 'ForAllValues:StringEquals': { [WORKSPACE]: 'a' } } },
  ],
  ['compares with a number', { ...ALLOW, Condition: { StringEquals: { [WORKSPACE]: 1 } } }],
  ['compares with nothing', { ...ALLOW, Condition: { StringEquals: { [WORKSPACE]: [] } } }],
  [
    'compares with a variable',
    { ...ALLOW, Condition: { StringLike: { [WORKSPACE]: ['$', '{aws:username}'].join('') } } },
  ],
])('a statement that %s is malformed', (_, statement) => {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [ALLOW, statement] });
  expect(() => readPolicy(text)).toThrow(
    expect.objectContaining({ code: 'MalformedPolicyDocumentException' }),
  );
});
