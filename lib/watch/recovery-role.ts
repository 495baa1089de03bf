import { Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { DataStack } from '../data-stack.ts';
import { TABLE_KEY_ACTIONS } from '../key-use.ts';
import { readCheckpointKey } from '../log-access.ts';
import { LIST_INDEX, namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { useValueKeys } from '../value-keys.ts';

export interface RecoveryRoleProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  readonly secretsKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
}

/**
 * Who runs `npm run restore`: anybody whom IAM of this account lets assume it, with a second factor. It can fill tables
 * and open values, so it exists only while the stage says that it recovers; deploying it leaves its trace.
 */
export class RecoveryRole extends Construct {
  constructor(scope: Construct, id: string, props: RecoveryRoleProps) {
    super(scope, id);
    const { stage, data } = props;
    const role = new Role(this, 'Role', {
      roleName: namesOf(stage).role('restore'),
      description: `Lockzero ${stage.name}: what npm run restore may do`,
      assumedBy: new AccountRootPrincipal().withConditions({
        Bool: { 'aws:MultiFactorAuthPresent': 'true' },
      }),
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      roles: [role],
      statements: [...tableStatements(data), ...objectStatements(data), ...this.keyStatements(props)],
    });
    acknowledge(
      policy,
      'The keys of objects follow from what is in them: a prefix is the least that can be named beforehand.',
      ...[
        `${namesOf(stage).bucketArnExport('archive')}/log/`,
        `${namesOf(stage).bucketArnExport('archive')}/archive/`,
        `${namesOf(stage).bucketArnExport('staging')}/`,
        `${namesOf(stage).bucketArnExport('backup')}/backups/`,
      ].map((prefix) => `AwsSolutions-IAM5[Resource::${prefix}*]`),
    );
  }

  private keyStatements({
    stage,
    dataKeyArn,
    secretsKeyArns,
    checkpointKeyArn,
  }: RecoveryRoleProps): PolicyStatement[] {
    const through = (service: string) => ({
      StringEquals: { 'kms:ViaService': `${service}.${Stack.of(this).region}.amazonaws.com` },
    });
    return [
      new PolicyStatement({
        actions: [...TABLE_KEY_ACTIONS],
        resources: [dataKeyArn],
        conditions: through('dynamodb'),
      }),
      new PolicyStatement({ actions: ['kms:Decrypt'], resources: [dataKeyArn], conditions: through('s3') }),
      ...useValueKeys(Stack.of(this), stage, secretsKeyArns, 'restore').statements,
      readCheckpointKey(checkpointKeyArn),
    ];
  }
}

function tableStatements({ vault, audit }: DataStack): PolicyStatement[] {
  const read = ['BatchGetItem', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'Scan'];
  const settings = [
    'DescribeContinuousBackups',
    'DescribeTable',
    'DescribeTimeToLive',
    'GetResourcePolicy',
    'UpdateContinuousBackups',
    'UpdateTable',
    'UpdateTimeToLive',
  ];
  const named = (actions: readonly string[]): string[] => actions.map((action) => `dynamodb:${action}`);
  return [
    new PolicyStatement({
      actions: named([...read, ...settings]),
      resources: [vault.tableArn, audit.tableArn],
    }),
    // The policy of the table `audit` denies these there, whatever stands here.
    new PolicyStatement({
      actions: named(['BatchWriteItem', 'DeleteItem', 'UpdateItem']),
      resources: [vault.tableArn],
    }),
    new PolicyStatement({
      actions: ['dynamodb:Query'],
      resources: [`${vault.tableArn}/index/${LIST_INDEX}`],
    }),
  ];
}

function objectStatements({ archiveArn, stagingArn, backupArn }: DataStack): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['s3:GetObject', 's3:GetObjectRetention', 's3:GetObjectVersion'],
      resources: [
        `${archiveArn}/log/*`,
        `${archiveArn}/archive/*`,
        `${stagingArn}/*`,
        `${backupArn}/backups/*`,
      ],
    }),
    new PolicyStatement({ actions: ['s3:PutObject'], resources: [`${archiveArn}/log/*`] }),
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [archiveArn, stagingArn, backupArn],
    }),
  ];
}
