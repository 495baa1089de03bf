import { placeOf } from './key-arn.ts';
import type { KeyStatement } from './key-policy.ts';

/**
 * What the customer's account may do with its key: manage it, and nothing with what lies under it. Spelled out, because
 * `kms:*` would let any administrator there decrypt, and so would CreateGrant.
 */
const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:CreateAlias',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:DisableKeyRotation',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListKeyPolicies',
  'kms:ListKeyRotations',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:ReplicateKey',
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
  'kms:UpdatePrimaryRegion',
] as const;

const VERSION = '2012-10-17';
const descriptionOf = (workspaceId: string): string =>
  `Wraps the secrets of the Lockzero workspace ${workspaceId}`;

/** The whole policy of a new key: its account manages it, and the vault uses it. */
function policyWith(accountRoot: unknown, statements: readonly KeyStatement[]) {
  const administration = {
    Sid: 'AccountManagesKey',
    Effect: 'Allow',
    Principal: { AWS: accountRoot },
    Action: ADMINISTRATION,
    Resource: '*',
  };
  return { Version: VERSION, Statement: [administration, ...statements] };
}

/**
 * A CloudFormation template, in JSON, that makes a key with this policy in the account and the region where it is
 * deployed, and an alias. Deleting the stack keeps the key: secrets lie under it.
 */
export function cloudFormationTemplate(workspaceId: string, statements: readonly KeyStatement[]): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills these in.
  const accountRoot = { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' };
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: descriptionOf(workspaceId),
    Resources: {
      Key: {
        Type: 'AWS::KMS::Key',
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          Description: descriptionOf(workspaceId),
          EnableKeyRotation: true,
          PendingWindowInDays: 30,
          KeyPolicy: policyWith(accountRoot, statements),
        },
      },
      Alias: {
        Type: 'AWS::KMS::Alias',
        Properties: { AliasName: `alias/lockzero-${workspaceId}`, TargetKeyId: { Ref: 'Key' } },
      },
    },
    Outputs: {
      KeyArn: {
        Description: 'Goes into PUT /workspace/encryption-key as keyArn',
        Value: { 'Fn::GetAtt': ['Key', 'Arn'] },
      },
    },
  };
  return JSON.stringify(template, null, 2);
}

/** Stands in the policy for the account, which the shell finds out; no other quote is in it. */
const ACCOUNT = `'"$ACCOUNT"'`;

/** Shell commands for the AWS CLI that make the same key in the account of whoever runs them, and print its ARN. */
export function cliCommands(
  workspaceId: string,
  statements: readonly KeyStatement[],
  vaultKeyArn: string,
): string {
  const { partition, region } = placeOf(vaultKeyArn);
  const policy = JSON.stringify(policyWith(`arn:${partition}:iam::${ACCOUNT}:root`, statements));
  return [
    'ACCOUNT=$(aws sts get-caller-identity --query Account --output text)',
    `KEY=$(aws kms create-key --region ${region} --description '${descriptionOf(workspaceId)}' --policy '${policy.replaceAll(JSON.stringify(ACCOUNT).slice(1, -1), ACCOUNT)}' --query KeyMetadata.Arn --output text)`,
    `aws kms enable-key-rotation --region ${region} --key-id "$KEY"`,
    'echo "$KEY"',
  ].join(' && ');
}
