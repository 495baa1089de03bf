import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
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
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import { removalPolicyOf } from './constructs/removal.ts';
import { LIST_INDEX, namesOf, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';

export interface DataStackProps extends StackProps {
  readonly stage: StageConfig;
  /** The key for everything at rest but the archive. */
  readonly dataKeyArn: string;
}

/** What is kept: the tables `vault` and `audit`, the archive and backup buckets, the bootstrap secrets. */
export class DataStack extends Stack {
  readonly vault: TableV2;
  readonly audit: TableV2;
  readonly archive: Bucket;
  readonly backup: Bucket;
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

    const accessLogs = this.accessLogs();
    this.archive = this.archiveBucket(stage, accessLogs);
    this.backup = this.backupBucket(dataKey, accessLogs);

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
   * Rows of the audit table are put and never changed. The retention role, which no stack makes so far, is the one
   * that may delete what has been archived; everybody else is denied, whatever IAM allows them.
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

  private accessLogs(): IBucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      ...PRIVATE_BUCKET,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(30) }],
    });
    acknowledge(
      bucket,
      'S3 delivers server access logs only to buckets with SSE-S3.',
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
    );
    acknowledge(bucket, 'Access logs of one region stay in it.', 'NIST.800.53.R5-S3BucketReplicationEnabled');
    // aws-cdk-lib is compiled without exactOptionalPropertyTypes: its classes miss their own interfaces by a hair.
    return bucket as IBucket;
  }

  private archiveBucket(stage: StageConfig, accessLogs: IBucket): Bucket {
    const retention = Duration.days(stage.archive.retentionDays);
    const bucket = new Bucket(this, 'Archive', {
      ...PRIVATE_BUCKET,
      encryption: BucketEncryption.S3_MANAGED,
      objectLockEnabled: true,
      objectLockDefaultRetention:
        stage.archive.mode === 'COMPLIANCE'
          ? ObjectLockRetention.compliance(retention)
          : ObjectLockRetention.governance(retention),
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'archive/',
    });
    acknowledge(
      bucket,
      'SSE-S3 on purpose: whoever deletes a KMS key would destroy locked evidence with it.',
      'NIST.800.53.R5-S3DefaultEncryptionKMS',
    );
    acknowledge(
      bucket,
      'Locked versions cannot be deleted, and residency keeps them in one region; whoever wants a copy takes an export.',
      'NIST.800.53.R5-S3BucketReplicationEnabled',
    );
    return bucket;
  }

  /** No role may use the data key through S3 yet, so nobody writes here before a backup job adds its role to the key policy. */
  private backupBucket(key: IKey, accessLogs: IBucket): Bucket {
    const bucket = new Bucket(this, 'Backup', {
      ...PRIVATE_BUCKET,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      lifecycleRules: [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(90) }],
      serverAccessLogsBucket: accessLogs,
      serverAccessLogsPrefix: 'backup/',
    });
    acknowledge(
      bucket,
      'A second copy beside point-in-time recovery; residency keeps it in the region of the stage.',
      'NIST.800.53.R5-S3BucketReplicationEnabled',
    );
    return bucket;
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

/** Every bucket: private, TLS only, versioned, and left behind by `cdk destroy`. */
const PRIVATE_BUCKET = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  versioned: true,
  removalPolicy: RemovalPolicy.RETAIN,
};
