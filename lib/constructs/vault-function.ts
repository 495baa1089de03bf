import { join } from 'node:path';
import type { Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { type FunctionName, LIST_INDEX, namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { type Acknowledgement, acknowledge } from './acknowledge.ts';
import { bundling } from './bundling.ts';
import { type Explained, FunctionRole, type ObjectAccess, type TableAction } from './function-role.ts';
import { VaultLogGroup } from './vault-log-group.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

export interface VaultFunctionProps {
  readonly stage: StageConfig;
  /** The function's entry is `lambdas/<functionName>/handler.ts`. */
  readonly functionName: FunctionName;
  readonly description: string;
  readonly vault: TableV2;
  readonly audit: TableV2;
  readonly dataKeyArn: string;
  readonly vaultActions: readonly TableAction[];
  readonly auditActions: readonly TableAction[];
  /**
   * Whether it may query the index of the vault table that answers lists.
   * @default false
   */
  readonly queriesList?: boolean;
  /**
   * The objects that it may use, see {@link ObjectAccess}.
   * @default - none
   */
  readonly objects?: readonly ObjectAccess[];
  /**
   * What it may do beyond its tables, its objects, its log and tracing.
   * @default - nothing
   */
  readonly statements?: readonly PolicyStatement[];
  /**
   * What cdk-nag finds in these statements.
   * @default - nothing
   */
  readonly accepted?: readonly Acknowledgement[];
  /**
   * What it may do with keys for values.
   * @default - nothing
   */
  readonly valueKeys?: Explained;
  readonly timeout: Duration;
  /**
   * In MiB; Lambda gives one full vCPU at 1,769.
   * @default 512
   */
  readonly memorySize?: number;
  /**
   * Variables beside the names of the stage and its tables. Never a secret: they show in the console.
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Whether the bundle carries argon2's native parts.
   * @default false
   */
  readonly argon2?: boolean;
  /**
   * Files laid beside the bundle, as paths from the root of the project.
   * @default - none
   */
  readonly bundledFiles?: readonly string[];
}

/** One function of the vault: arm64, Node.js 24, bundled by esbuild, with a role and an encrypted log of its own. */
export class VaultFunction extends Construct {
  readonly handler: NodejsFunction;

  constructor(scope: Construct, id: string, props: VaultFunctionProps) {
    super(scope, id);
    const { stage, functionName } = props;
    const names = namesOf(stage);
    const logGroup = new VaultLogGroup(this, 'Log', {
      stage,
      dataKeyArn: props.dataKeyArn,
      logGroupName: names.logGroup(functionName),
    });
    const { role, policies } = new FunctionRole(this, 'Access', {
      stage,
      functionName,
      dataKeyArn: props.dataKeyArn,
      logGroup,
      tables: [
        {
          table: props.vault,
          actions: props.vaultActions,
          ...(props.queriesList === true ? { queryIndex: LIST_INDEX } : {}),
        },
        { table: props.audit, actions: props.auditActions },
      ],
      objects: props.objects ?? [],
      statements: props.statements ?? [],
      accepted: props.accepted ?? [],
      ...(props.valueKeys === undefined ? {} : { valueKeys: props.valueKeys }),
    });
    this.handler = new NodejsFunction(this, 'Function', {
      functionName: `${names.prefix}-${functionName}`,
      description: props.description,
      entry: join(PROJECT_ROOT, 'lambdas', functionName, 'handler.ts'),
      handler: 'handler',
      projectRoot: PROJECT_ROOT,
      depsLockFilePath: join(PROJECT_ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      bundling: bundling({ argon2: props.argon2 === true, files: props.bundledFiles ?? [] }),
      timeout: props.timeout,
      memorySize: props.memorySize ?? 512,
      role,
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: {
        STAGE: stage.name,
        VAULT_TABLE: props.vault.tableName,
        AUDIT_TABLE: props.audit.tableName,
        POWERTOOLS_SERVICE_NAME: functionName,
        POWERTOOLS_METRICS_NAMESPACE: 'Lockzero',
        ...(stage.fips ? { AWS_USE_FIPS_ENDPOINT: 'true' } : {}),
        ...props.environment,
      },
    });
    this.handler.node.addDependency(...policies);
    acknowledge(
      this.handler,
      'Every dependency is an AWS endpoint over TLS and the role is the boundary; a VPC would add only network paths to guard.',
      'NIST.800.53.R5-LambdaInsideVPC',
    );
    acknowledge(
      this.handler,
      'Reserving concurrency takes it from the account’s pool, which is only 10 in a new account; WAF and API throttling bound the load.',
      'NIST.800.53.R5-LambdaConcurrency',
    );
  }
}
