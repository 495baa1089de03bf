import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import { removalPolicyOf } from './constructs/removal.ts';
import { archiveBucket, backupBucket, logBucket, stagingBucket } from './data-buckets.ts';
import { LIST_INDEX, namesOf, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

export interface DataStackProps extends StackProps {
  readonly stage: StageConfig;
  /** The key for everything at rest but the archive. */
  readonly dataKeyArn: string;
}

/** What is kept: the tables `vault` and `audit`, the archive, staging and backup buckets, the bootstrap secrets. */
export class DataStack extends Stack {
  readonly vault: TableV2;
  readonly audit: TableV2;
  readonly archive: Bucket;
  readonly staging: Bucket;
  readonly backup: Bucket;
  readonly accessLogsName: string;
  /** The ARNs of these buckets as other stacks import them, under names that are known before synthesis. */
  readonly archiveArn: string;
  readonly stagingArn: string;
  readonly backupArn: string;
  readonly rootSecret: Secret;
  readonly setupToken: Secret;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    super(scope, id, props);
    const { stage } = props;
    const names = namesOf(stage);
    // Imported by its ARN: a construct given the key itself would add statements of its own to the key policy.
    const dataKey = Key.fromKeyArn(this, 'DataKey', props.dataKeyArn);

    this.vault = this.table('Vault', stage, dataKey, {
      tableName: names.vaultTable,
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
      globalSecondaryIndexes: [
        {
          indexName: LIST_INDEX,
          partitionKey: { name: 'lk', type: AttributeType.STRING },
          sortKey: { name: 'lsk', type: AttributeType.STRING },
          projectionType: ProjectionType.ALL,
        },
      ],
    });
    this.audit = this.table('Audit', stage, dataKey, {
      tableName: names.auditTable,
      dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
      resourcePolicy: this.appendOnly(names.auditTable, names.role('retention')),
    });

    const accessLogs = logBucket(this);
    this.accessLogsName = accessLogs.bucketName;
    this.archive = archiveBucket(this, stage, accessLogs);
    this.staging = stagingBucket(this, accessLogs);
    this.backup = backupBucket(this, dataKey, accessLogs);
    const exported = (bucket: Bucket, name: 'archive' | 'staging' | 'backup'): string =>
      this.exportValue(bucket.bucketArn, { name: names.bucketArnExport(name) });
    this.archiveArn = exported(this.archive, 'archive');
    this.stagingArn = exported(this.staging, 'staging');
    this.backupArn = exported(this.backup, 'backup');

    this.rootSecret = this.secret('RootSecret', names.rootSecret, stage, dataKey, {
      secretStringTemplate: JSON.stringify({ current: '1' }),
      generateStringKey: '1',
      passwordLength: 64,
      excludePunctuation: true,
    });
    this.setupToken = this.secret('SetupToken', names.setupTokenSecret, stage, dataKey, {
      passwordLength: 48,
      excludePunctuation: true,
    });

    this.outputs(names.setupTokenSecret);
  }

  private table(id: string, stage: StageConfig, key: IKey, props: Partial<TablePropsV2>): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: 35 },
      deletionProtection: true,
      removalPolicy: removalPolicyOf(stage),
      ...props,
    });
  }

  /**
   * Rows of the audit table are put and never changed. The retention role is the one that may delete what has been
   * archived; everybody else is denied, whatever IAM allows them.
   */
  private appendOnly(tableName: string, retentionRole: string): PolicyDocument {
    return new PolicyDocument({
      statements: [
        new PolicyStatement({
          sid: 'AppendOnly',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: [
            'dynamodb:BatchWriteItem',
            'dynamodb:DeleteItem',
            'dynamodb:PartiQLDelete',
            'dynamodb:PartiQLInsert',
            'dynamodb:PartiQLUpdate',
            'dynamodb:UpdateItem',
          ],
          resources: [this.formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName })],
          conditions: { ArnNotEquals: { 'aws:PrincipalArn': roleArn(retentionRole) } },
        }),
      ],
    });
  }

  private secret(
    id: string,
    secretName: string,
    stage: StageConfig,
    key: IKey,
    generate: SecretStringGenerator,
  ): Secret {
    const secret = new Secret(this, id, {
      secretName,
      encryptionKey: key,
      generateSecretString: generate,
      removalPolicy: removalPolicyOf(stage),
    });
    acknowledge(
      secret,
      'Rotated by the operator: a new root key must stay beside the old one while tokens name it, and the setup token dies on first use.',
      'AwsSolutions-SMG4',
      'NIST.800.53.R5-SecretsManagerRotationEnabled',
    );
    return secret;
  }

  private outputs(setupTokenSecret: string): void {
    new CfnOutput(this, 'VaultTableName', { value: this.vault.tableName });
    new CfnOutput(this, 'AuditTableName', { value: this.audit.tableName });
    new CfnOutput(this, 'ArchiveBucketName', { value: this.archive.bucketName });
    new CfnOutput(this, 'SetupTokenSecretName', {
      value: setupTokenSecret,
      description: `Read it once with: aws secretsmanager get-secret-value --secret-id ${setupTokenSecret} --query SecretString --output text`,
    });
  }
}
