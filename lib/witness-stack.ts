import { join } from 'node:path';
import {
  type App,
  CfnOutput,
  Duration,
  RemovalPolicy,
  Stack,
  type StackProps,
  Validations,
} from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { ManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Architecture, FunctionUrlAuthType, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import { bundling } from './constructs/bundling.ts';
import { accountMay } from './key-use.ts';
import { ADMINISTRATION } from './keys-stack.ts';
import { roleArn } from './names.ts';
import type { WitnessConfig } from './witness.ts';

const PROJECT_ROOT = join(import.meta.dirname, '..');

export interface WitnessStackProps extends StackProps {
  readonly witness: WitnessConfig;
}

/**
 * A witness (C2SP tlog-witness) for an account that the vault's operator does not hold: a function behind its own URL,
 * a table that remembers one tree of each log, and an Ed25519 key that only this function may sign with.
 */
export class WitnessStack extends Stack {
  constructor(scope: Construct, id: string, props: WitnessStackProps) {
    super(scope, id, props);
    const { witness } = props;
    const prefix = `lockzero-${witness.name}`;
    const roleName = `${prefix}-${witness.region}`;
    const key = this.signingKey(prefix, roleName);
    const table = this.table(prefix);
    const logGroup = this.logGroup(prefix);
    const role = this.role(roleName, key, table, logGroup);
    const handler = new NodejsFunction(this, 'Function', {
      functionName: prefix,
      description: 'Cosigns checkpoints of audit logs that extend the last one seen',
      entry: join(PROJECT_ROOT, 'lambdas', 'witness', 'handler.ts'),
      handler: 'handler',
      projectRoot: PROJECT_ROOT,
      depsLockFilePath: join(PROJECT_ROOT, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      bundling: bundling({ argon2: false, files: [] }),
      timeout: Duration.seconds(10),
      memorySize: 256,
      role,
      logGroup,
      environment: {
        WITNESS_NAME: witness.signerName,
        WITNESS_TABLE: table.tableName,
        WITNESS_KEY_ARN: key.keyArn,
        WATCHED_DEPLOYMENTS: JSON.stringify(witness.watches),
        POWERTOOLS_SERVICE_NAME: 'witness',
      },
    });
    acknowledge(
      handler,
      'Public by design: what it answers depends on the log’s own signature, and all that it holds is public.',
      'NIST.800.53.R5-LambdaInsideVPC',
      'NIST.800.53.R5-LambdaFunctionPublicAccessProhibited',
    );
    acknowledge(
      handler,
      'Asked once a minute for each workspace, synchronously; a log that gets no answer asks again.',
      'NIST.800.53.R5-LambdaConcurrency',
      'NIST.800.53.R5-LambdaDLQ',
    );
    const url = handler.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    new CfnOutput(this, 'Url', {
      value: url.url,
      description: 'What the vault’s stage names as its witness',
    });
    new CfnOutput(this, 'KeyArn', {
      value: key.keyArn,
      description:
        'aws kms get-public-key gives the public key; its last 32 bytes belong into the verifier key',
    });
  }

  private signingKey(prefix: string, roleName: string): Key {
    const onlyWitness = { ArnEquals: { 'aws:PrincipalArn': roleArn(roleName) } };
    return new Key(this, 'Key', {
      alias: `alias/${prefix}`,
      description: 'Lockzero witness: cosigns checkpoints',
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({
        statements: [
          // Whoever administers the account may also read the public key, which is how logs learn of it.
          accountMay('Manage', [...ADMINISTRATION, 'kms:GetPublicKey'], {}),
          accountMay('Cosign', ['kms:Sign'], {
            ...onlyWitness,
            StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' },
          }),
        ],
      }),
    });
  }

  private table(prefix: string): TableV2 {
    return new TableV2(this, 'Table', {
      tableName: prefix,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  private logGroup(prefix: string): LogGroup {
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/lockzero/${prefix}`,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(
      logGroup,
      'Holds status codes only; CloudWatch encrypts it with its own key.',
      'NIST.800.53.R5-CloudWatchLogGroupEncrypted',
    );
    return logGroup;
  }

  private role(roleName: string, key: Key, table: TableV2, logGroup: LogGroup): Role {
    const role = new Role(this, 'Role', {
      roleName,
      description: 'Lockzero witness: what its function may do',
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    new ManagedPolicy(this, 'Policy', {
      roles: [role],
      statements: [
        new PolicyStatement({
          actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
          resources: [table.tableArn],
        }),
        new PolicyStatement({ actions: ['kms:Sign', 'kms:GetPublicKey'], resources: [key.keyArn] }),
        new PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
      ],
    });
    return role;
  }
}

/** Adds a witness to the app, under the checks of cdk-nag. */
export function addWitness(app: App, witness: WitnessConfig): WitnessStack {
  const stack = new WitnessStack(app, 'Witness', {
    witness,
    stackName: `lockzero-${witness.name}`,
    description: `Lockzero: a witness of audit logs (${witness.signerName})`,
    env: { region: witness.region, ...(witness.account === undefined ? {} : { account: witness.account }) },
    terminationProtection: true,
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  return stack;
}
