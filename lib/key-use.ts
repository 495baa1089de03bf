import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FUNCTION_NAMES, logGroupArn, namesOf, type RoleName, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

/** The least that DynamoDB asks of a caller of a table under a customer-managed key (DynamoDB, encryption at rest). */
export const TABLE_KEY_ACTIONS: readonly string[] = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** Who may use the key `data`, and through which service. */
export function dataKeyUse(stack: Stack, stage: StageConfig): PolicyStatement[] {
  return [
    ...tableUse(stack, stage),
    ...backupUse(stack, stage),
    ...bootstrapSecretUse(stack, stage),
    logUse(stack, stage),
    alarmUse(stack, stage),
  ];
}

function tableUse(stack: Stack, stage: StageConfig): PolicyStatement[] {
  const throughDynamo = { 'kms:ViaService': `dynamodb.${stack.region}.amazonaws.com` };
  return [
    accountMay('ReadAndWriteTables', TABLE_KEY_ACTIONS, {
      ...onlyRoles(stage, [...FUNCTION_NAMES, ...(stage.recovery ? ['restore' as const] : [])]),
      StringEquals: throughDynamo,
    }),
    // Whoever deploys creates the tables, and DynamoDB then asks in their name for a grant to itself. The condition
    // on GrantIsForAWSResource keeps that grant in DynamoDB's hands, so the deployer still cannot decrypt.
    accountMay('CreateTables', ['kms:CreateGrant'], {
      StringEquals: throughDynamo,
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
    }),
  ];
}

/** The nightly exports in S3, and AWS Backup's hourly snapshots in a vault of its own. */
function backupUse(stack: Stack, stage: StageConfig): PolicyStatement[] {
  const throughS3 = { StringEquals: { 'kms:ViaService': `s3.${stack.region}.amazonaws.com` } };
  const throughBackup = { StringEquals: { 'kms:ViaService': `backup.${stack.region}.amazonaws.com` } };
  return [
    // DynamoDB exports in the name of whoever asks for it.
    accountMay('WriteBackups', ['kms:Decrypt', 'kms:GenerateDataKey'], {
      ...onlyRoles(stage, ['backup']),
      ...throughS3,
    }),
    accountMay('ReadBackups', ['kms:Decrypt'], {
      ...onlyRoles(stage, ['backup-check', ...(stage.recovery ? ['restore' as const] : [])]),
      ...throughS3,
    }),
    accountMay('SnapshotTables', TABLE_KEY_ACTIONS, {
      ...onlyRoles(stage, ['snapshots']),
      StringEquals: { 'kms:ViaService': `dynamodb.${stack.region}.amazonaws.com` },
    }),
    // Whoever deploys makes the vault of snapshots, and AWS Backup then asks in their name (AWS Backup, "Encryption").
    accountMay(
      'CreateSnapshotVault',
      ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
      throughBackup,
    ),
    accountMay('GrantToSnapshotVault', ['kms:CreateGrant'], {
      ...throughBackup,
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
    }),
  ];
}

/** CloudWatch, EventBridge and, where there is a budget, Budgets, which publish to the one topic. */
function alarmUse(stack: Stack, stage: StageConfig): PolicyStatement {
  const topicArn = stack.formatArn({ service: 'sns', resource: namesOf(stage).alarmTopic });
  return new PolicyStatement({
    sid: 'PublishAlarms',
    effect: Effect.ALLOW,
    principals: [
      ...(stage.monthlyBudgetUsd > 0 ? [new ServicePrincipal('budgets.amazonaws.com')] : []),
      new ServicePrincipal('cloudwatch.amazonaws.com'),
      new ServicePrincipal('events.amazonaws.com'),
    ],
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: ['*'],
    conditions: {
      StringEquals: { 'kms:EncryptionContext:aws:sns:topicArn': topicArn },
    },
  });
}

function bootstrapSecretUse(stack: Stack, stage: StageConfig): PolicyStatement[] {
  const names = namesOf(stage);
  const throughSecretsManager = { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` };
  // Secrets Manager adds a hyphen and six random characters to the name.
  const secretArn = (name: string) =>
    stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${name}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  return [
    accountMay('ReadBootstrapSecrets', ['kms:Decrypt'], {
      ...onlyRoles(stage, ['api']),
      StringEquals: throughSecretsManager,
      StringLike: {
        'kms:EncryptionContext:SecretARN': [secretArn(names.rootSecret), secretArn(names.setupTokenSecret)],
      },
    }),
    // The secrets that webhooks are signed with derive from the root secret.
    accountMay('ReadRootSecret', ['kms:Decrypt'], {
      ...onlyRoles(stage, ['deliverer']),
      StringEquals: throughSecretsManager,
      StringLike: { 'kms:EncryptionContext:SecretARN': secretArn(names.rootSecret) },
    }),
    // Whoever deploys or rotates writes the bootstrap secrets. A new data key opens nothing that is stored already,
    // and the one Decrypt is Secrets Manager's own probe that the key works (Secrets Manager, encryption and
    // decryption), so writing the root secret does not mean being able to read it.
    accountMay('WriteBootstrapSecrets', ['kms:GenerateDataKey'], { StringEquals: throughSecretsManager }),
    accountMay('ProbeKeyOfBootstrapSecrets', ['kms:Decrypt'], {
      StringEquals: {
        ...throughSecretsManager,
        'kms:EncryptionContext:SecretVersionId': 'RequestToValidateKeyAccess',
      },
    }),
    // An operator has to read the setup token to set the vault up, once; IAM decides who that is.
    accountMay('ReadSetupToken', ['kms:Decrypt'], {
      StringEquals: throughSecretsManager,
      StringLike: { 'kms:EncryptionContext:SecretARN': secretArn(names.setupTokenSecret) },
    }),
  ];
}

/** CloudWatch Logs itself, for the log groups of this stage. */
function logUse(stack: Stack, stage: StageConfig): PolicyStatement {
  const names = namesOf(stage);
  return new PolicyStatement({
    sid: 'EncryptLogs',
    effect: Effect.ALLOW,
    principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
    actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
    resources: ['*'],
    conditions: {
      ArnLike: {
        'kms:EncryptionContext:aws:logs:arn': [
          logGroupArn(stack, names.logGroup('*')),
          logGroupArn(stack, names.wafLogGroup),
          // API Gateway derives this name from the id of the API, which does not exist yet.
          logGroupArn(stack, 'API-Gateway-Execution-Logs_*'),
        ],
      },
    },
  });
}

/** Of these roles, by their fixed names. */
export function onlyRoles(stage: StageConfig, roles: readonly RoleName[]): Record<string, unknown> {
  return { ArnEquals: { 'aws:PrincipalArn': roles.map((name) => roleArn(namesOf(stage).role(name))) } };
}

/** In a key policy the resource `*` means this key. */
export function accountMay(
  sid: string,
  actions: readonly string[],
  conditions: Record<string, unknown>,
): PolicyStatement {
  return new PolicyStatement({
    sid,
    effect: Effect.ALLOW,
    principals: [new AccountRootPrincipal()],
    actions: [...actions],
    resources: ['*'],
    conditions,
  });
}
