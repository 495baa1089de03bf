import { Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type IRole, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { TABLE_KEY_ACTIONS } from '../key-use.ts';
import { type FunctionName, namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { type Acknowledgement, acknowledge } from './acknowledge.ts';

/** The item operations a function may hold. Transactions are authorized by the operations inside them. */
export type TableAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'ConditionCheckItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PutItem'
  | 'Query'
  | 'Scan'
  | 'UpdateItem';

export interface TableAccess {
  readonly table: TableV2;
  readonly actions: readonly TableAction[];
  /**
   * An index that may be queried as well.
   * @default - none
   */
  readonly queryIndex?: string;
}

/** The objects of a bucket whose keys begin with a prefix. */
export interface ObjectAccess {
  readonly bucketArn: string;
  /** Empty for all of them. */
  readonly prefix: string;
  /** Without `s3:`. */
  readonly actions: readonly (
    | 'AbortMultipartUpload'
    | 'GetObject'
    | 'GetObjectRetention'
    | 'GetObjectVersion'
    | 'PutObject'
    | 'PutObjectAcl'
  )[];
}

export interface FunctionRoleProps {
  readonly stage: StageConfig;
  readonly functionName: FunctionName;
  readonly dataKeyArn: string;
  readonly logGroup: ILogGroup;
  readonly tables: readonly TableAccess[];
  /**
   * The objects that it may use. It may also list their buckets, and so learn from S3 that an object is absent: without
   * that, the answer is that access is denied.
   * @default - none
   */
  readonly objects?: readonly ObjectAccess[];
  /**
   * What this one function needs beyond its tables, its log and tracing.
   * @default - nothing
   */
  readonly statements?: readonly PolicyStatement[];
  /**
   * What cdk-nag finds in these statements.
   * @default - nothing
   */
  readonly accepted?: readonly Acknowledgement[];
  /**
   * What it may do with keys for values, in a policy of its own: it grows with the keys and accounts that the stage names,
   * and IAM allows 6,144 characters to each (IAM, "IAM and AWS STS quotas").
   * @default - nothing
   */
  readonly valueKeys?: Explained;
}

/** Statements, and what cdk-nag finds in them. */
export interface Explained {
  readonly statements: readonly PolicyStatement[];
  readonly accepted: readonly Acknowledgement[];
}

/**
 * The role of one function, by the fixed name that key policies know. All it may do stands in managed policies made here:
 * `role` refuses additions, so that no other construct can widen it.
 */
export class FunctionRole extends Construct {
  readonly role: IRole;
  /** What uses the role must depend on them: Lambda checks some permissions when a function is made. */
  readonly policies: readonly ManagedPolicy[];

  constructor(scope: Construct, id: string, props: FunctionRoleProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      roleName: namesOf(props.stage).role(props.functionName),
      description: `Lockzero ${props.stage.name}: what the function ${props.functionName} may do`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      roles: [role],
      statements: [
        ...props.tables.flatMap(tableStatements),
        this.tableKeyStatement(props.dataKeyArn),
        new PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [props.logGroup.logGroupArn],
        }),
        new PolicyStatement({
          actions: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
          resources: ['*'],
        }),
        ...objectStatements(props.objects ?? []),
        ...(props.statements ?? []),
      ],
    });
    this.role = role.withoutPolicyUpdates();
    acknowledge(
      policy,
      'X-Ray knows no resources: its two write actions take only *.',
      'AwsSolutions-IAM5[Resource::*]',
    );
    const { valueKeys } = props;
    this.policies =
      valueKeys === undefined
        ? [policy]
        : [
            policy,
            new ManagedPolicy(this, 'ValueKeys', { roles: [role], statements: [...valueKeys.statements] }),
          ];
    for (const { reason, rules } of [...(props.accepted ?? []), ...(valueKeys?.accepted ?? [])]) {
      acknowledge(this, reason, ...rules);
    }
    for (const { bucketArn, prefix } of props.objects ?? []) {
      acknowledge(
        policy,
        'The keys of objects follow from what is in them: a prefix is the least that can be named beforehand.',
        `AwsSolutions-IAM5[Resource::${printed(this, bucketArn)}/${prefix}*]`,
      );
    }
  }

  private tableKeyStatement(dataKeyArn: string): PolicyStatement {
    return new PolicyStatement({
      actions: [...TABLE_KEY_ACTIONS],
      resources: [dataKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `dynamodb.${Stack.of(this).region}.amazonaws.com` } },
    });
  }
}

function tableStatements({ table, actions, queryIndex }: TableAccess): PolicyStatement[] {
  if (actions.length === 0) return [];
  const items = new PolicyStatement({
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [table.tableArn],
  });
  if (queryIndex === undefined) return [items];
  const index = new PolicyStatement({
    actions: ['dynamodb:Query'],
    resources: [`${table.tableArn}/index/${queryIndex}`],
  });
  return [items, index];
}

function objectStatements(objects: readonly ObjectAccess[]): PolicyStatement[] {
  const buckets = [...new Set(objects.map(({ bucketArn }) => bucketArn))];
  const uses = objects.map(
    ({ bucketArn, prefix, actions }) =>
      new PolicyStatement({
        actions: actions.map((action) => `s3:${action}`),
        resources: [`${bucketArn}/${prefix}*`],
      }),
  );
  return buckets.length === 0
    ? []
    : [...uses, new PolicyStatement({ actions: ['s3:ListBucket'], resources: buckets })];
}

/** An ARN as cdk-nag prints it: the name under which another stack exports it, or the resource of this one. */
function printed(scope: Construct, arn: string): string {
  const resolved = Stack.of(scope).resolve(arn) as {
    readonly 'Fn::ImportValue'?: string;
    readonly 'Fn::GetAtt'?: readonly string[];
  };
  return resolved['Fn::ImportValue'] ?? `<${resolved['Fn::GetAtt']?.join('.')}>`;
}
