import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { removalPolicyOf } from './constructs/removal.ts';
import { addCustomerOutputs } from './customer-outputs.ts';
import { accountMay, dataKeyUse, onlyRoles } from './key-use.ts';
import { type FunctionName, type KeyName, namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';
import { valueKeyPolicy } from './value-keys.ts';

export interface KeysStackProps extends StackProps {
  readonly stage: StageConfig;
}

/**
 * What the account may do with a key through IAM: manage it. Spelled out, because `kms:*` would let any administrator
 * decrypt, and so would CreateGrant: a grant can hand Decrypt to anybody.
 */
export const ADMINISTRATION: readonly string[] = [
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
  'kms:RevokeGrant',
  'kms:RotateKeyOnDemand',
  'kms:ScheduleKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
];

/**
 * The keys: `secrets` wraps the data key of each secret version, unless a customer's key does, `data` encrypts what lies at
 * rest in AWS services, `signing` signs the access tokens of people, and `checkpoint` the heads of the audit logs and the
 * archive's manifests.
 *
 * Using a key takes both its policy and an IAM policy: the principal of each statement is the account, and a condition
 * on `aws:PrincipalArn` narrows it to roles by their fixed names. Other stacks see ARNs only, so that no construct can
 * widen a key policy on its way.
 */
export class KeysStack extends Stack {
  /** The deployment's own keys for values: the one that wraps, then those that still unwrap. At least one. */
  readonly secretsKeyArns: readonly string[];
  readonly dataKeyArn: string;
  /** The key that signs first, then those whose tokens are still accepted. At least one. */
  readonly signingKeyArns: readonly string[];
  readonly checkpointKeyArn: string;

  constructor(scope: Construct, id: string, props: KeysStackProps) {
    super(scope, id, props);
    this.secretsKeyArns = props.stage.secretsKeys.map((number) =>
      this.key(
        number === 1 ? 'SecretsKey' : `Secrets${number}Key`,
        number === 1 ? 'secrets' : `secrets-${number}`,
        number === 1
          ? 'Wraps the data keys of secret values'
          : `Wraps the data keys of secret values (${number})`,
        props.stage,
        valueKeyPolicy(props.stage),
      ),
    );
    this.dataKeyArn = this.key(
      'DataKey',
      'data',
      'Encrypts tables, logs, backups and bootstrap secrets',
      props.stage,
      dataKeyUse(this, props.stage),
    );
    this.signingKeyArns = props.stage.signingKeys.map((number) =>
      this.ed25519Key(`Signing${number}Key`, `signing-${number}`, `Signs access tokens (${number})`, {
        stage: props.stage,
        signers: ['api'],
        readers: ['api'],
      }),
    );
    this.checkpointKeyArn = this.ed25519Key(
      'CheckpointKey',
      'checkpoint',
      'Signs checkpoints of the audit logs and manifests of their archive',
      {
        stage: props.stage,
        signers: ['sealer', 'archiver'],
        // Auditors and witnesses get it from whoever the account lets read it, by another way than through the vault.
        readers: 'account',
      },
    );
    addCustomerOutputs(this, props.stage);
  }

  private key(
    id: string,
    alias: KeyName,
    description: string,
    stage: StageConfig,
    use: PolicyStatement[],
  ): string {
    const key = new Key(this, id, {
      alias: namesOf(stage).keyAlias(alias),
      description: `Lockzero ${stage.name}: ${description}`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy: removalPolicyOf(stage),
      policy: new PolicyDocument({
        statements: [accountMay('Manage', ADMINISTRATION, {}), ...use],
      }),
    });
    return key.keyArn;
  }

  /**
   * Ed25519, which KMS cannot rotate. A new key of access tokens takes over instead, see `signingKeys` of the stage: all
   * of them have the same policy, so that the next one can without a gap; the role's own policy names the one that signs.
   */
  private ed25519Key(
    id: string,
    alias: KeyName,
    description: string,
    { stage, signers, readers }: KeyUsers,
  ): string {
    const key = new Key(this, id, {
      alias: namesOf(stage).keyAlias(alias),
      description: `Lockzero ${stage.name}: ${description}`,
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      pendingWindow: Duration.days(30),
      removalPolicy: removalPolicyOf(stage),
      policy: new PolicyDocument({
        statements: [
          accountMay('Manage', ADMINISTRATION, {}),
          // Only whole messages with pure Ed25519: a digest would say nothing about what is signed.
          accountMay('Sign', ['kms:Sign'], {
            ...onlyRoles(stage, signers),
            StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
          }),
          // Apart, because a request for a public key has no algorithm that a condition could compare.
          accountMay(
            'PublishPublicKey',
            ['kms:GetPublicKey'],
            readers === 'account' ? {} : onlyRoles(stage, readers),
          ),
        ],
      }),
    });
    return key.keyArn;
  }
}

interface KeyUsers {
  readonly stage: StageConfig;
  readonly signers: readonly FunctionName[];
  /** Who may read the public key: these functions, or whoever IAM lets in this account. */
  readonly readers: readonly FunctionName[] | 'account';
}
