import type { StageConfig } from '../../lib/stage.ts';
import { type Deployment, may } from './deployment.ts';
import { ACCOUNT, type Statement } from './policy.ts';

/** The account of a customer. */
export const CUSTOMER = '444455556666';

export const keyOf = (account: string, region: string) =>
  `arn:aws:kms:${region}:${account}:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f`;

/** Every call that uses a key, lets somebody else use it, or takes it away to where it can be used. */
export const USES = [
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

export type Context = Readonly<Record<string, string | readonly string[]>>;

/** A call with an encryption context, as KMS presents it to conditions. */
export function inContext(context: Record<string, string>, more: Context = {}): Context {
  const keys = Object.keys(context);
  return {
    ...Object.fromEntries(keys.map((key) => [`kms:EncryptionContext:${key}`, context[key] ?? ''])),
    ...(keys.length === 0 ? {} : { 'kms:EncryptionContextKeys': keys }),
    ...more,
  };
}

const VALUE = { secretId: 'sec_1', version: '1', workspaceId: 'ws_1' };
export const exact = inContext(VALUE);

/** Contexts of nothing that the vault ever wraps. */
export function wrongContexts(region: string): Record<string, Context> {
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

export const OPEN_AND_SEAL = ['kms:Decrypt', 'kms:GenerateDataKey'];
export const MOVE = ['kms:ReEncryptFrom', 'kms:ReEncryptTo'];

export interface Case {
  readonly name: string;
  readonly stage: StageConfig;
  readonly deployment: Deployment;
}

/** Everybody who could call: all roles of the deployment, and people and programs beside it. */
export function principalsOf({ stage, deployment }: Case): string[] {
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
export function usersOf(
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

export function lines(users: Record<string, readonly string[]>): string[] {
  return Object.entries(users)
    .flatMap(([role, actions]) => actions.map((action) => `${role}: ${action}`))
    .sort();
}

/** The most careless policy that a key can have: it lets the vault's account do everything. */
export const CARELESS: readonly Statement[] = [
  { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
];

/** The roles of the vault with policies of ours: to others, a key that lets everybody in is as good as theirs. */
export function ownRoles({ deployment }: Case): string[] {
  return [...deployment.roles.values()].flatMap(({ arn, statements }) =>
    statements === undefined ? [] : [arn],
  );
}
