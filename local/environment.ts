import { devNull } from 'node:os';

/** What the laptop run is made of, by the names that the handlers get from their environment on AWS. */
export const RESOURCES = {
  stage: 'local',
  region: 'us-east-1',
  accountId: '000000000000',
  vaultTable: 'lockzero-local-vault',
  auditTable: 'lockzero-local-audit',
  archiveBucket: 'lockzero-local-archive',
  stagingBucket: 'lockzero-local-staging',
  backupBucket: 'lockzero-local-backup',
  trailBucket: 'lockzero-local-trail',
  /** The account of the one customer that a laptop run knows. */
  customerAccountId: '111122223333',
  /** The role that all functions have here. */
  apiRole: 'lockzero-local-api',
  sealQueue: 'lockzero-local-seal.fifo',
  deliveryQueue: 'lockzero-local-delivery.fifo',
  /** As on a development stage: long enough to see that it refuses, short enough to be rid of it. */
  archiveRetentionDays: 1,
  logName: 'lockzero.local',
  rootSecretId: 'lockzero/local/root',
  setupTokenSecretId: 'lockzero/local/setup-token',
  mailFrom: 'vault@lockzero.local',
} as const;

const API_ROLE_ARN = `arn:aws:iam::${RESOURCES.accountId}:role/${RESOURCES.apiRole}`;

export interface Endpoints {
  readonly dynamodbEndpoint: string;
  readonly kmsEndpoint: string;
  readonly s3Endpoint: string;
  readonly secretsManagerEndpoint: string;
  readonly sesEndpoint: string;
  readonly sqsEndpoint: string;
  readonly stsEndpoint: string;
}

/** The keys, as they were made. */
export interface KeyArns {
  /** The key that wraps data keys. */
  readonly secretsKeyArn: string;
  /** The key that signs access tokens. */
  readonly signingKeyArn: string;
  /** The key that signs checkpoints and manifests. */
  readonly checkpointKeyArn: string;
}

/** What wakes the sealer and the deliverer. */
export interface QueueUrls {
  readonly sealQueueUrl: string;
  readonly deliveryQueueUrl: string;
}

/** What the functions learn only once the vault runs. */
export interface FunctionSettings extends KeyArns, QueueUrls {
  /** Where the vault is reached, as links in its mail have it. */
  readonly url: string;
  readonly pwnedPasswordsUrl: string;
  /** Where exports of the tables are asked for, which DynamoDB Local does not have. */
  readonly exportEndpoint: string;
}

/**
 * Points every AWS SDK client of this process at the endpoints. All that the developer's shell says about AWS goes
 * first, and the shared configuration files are shut out: a real account must never see a request of a laptop run.
 */
export function enterAwsEnvironment(endpoints: Endpoints): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_REGION: RESOURCES.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodbEndpoint,
    AWS_ENDPOINT_URL_DYNAMODB_STREAMS: endpoints.dynamodbEndpoint,
    AWS_ENDPOINT_URL_KMS: endpoints.kmsEndpoint,
    AWS_ENDPOINT_URL_S3: endpoints.s3Endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManagerEndpoint,
    AWS_ENDPOINT_URL_SESV2: endpoints.sesEndpoint,
    AWS_ENDPOINT_URL_SQS: endpoints.sqsEndpoint,
    AWS_ENDPOINT_URL_STS: endpoints.stsEndpoint,
  });
}

/**
 * Sets what the functions find in their environment on AWS; they read it once, when they are imported.
 *
 * @param quiet keeps the functions' logs and metrics off the terminal.
 */
export function enterFunctionEnvironment(settings: FunctionSettings, quiet: boolean): void {
  // It would spread each log entry over several lines.
  delete process.env['POWERTOOLS_DEV'];
  Object.assign(process.env, {
    STAGE: RESOURCES.stage,
    VAULT_TABLE: RESOURCES.vaultTable,
    AUDIT_TABLE: RESOURCES.auditTable,
    ARCHIVE_BUCKET: RESOURCES.archiveBucket,
    ARCHIVE_RETENTION_DAYS: String(RESOURCES.archiveRetentionDays),
    STAGING_BUCKET: RESOURCES.stagingBucket,
    BACKUP_BUCKET: RESOURCES.backupBucket,
    // No key of its own for what lies at rest: nothing is encrypted there on a laptop.
    BACKUP_KEY_ARN: settings.secretsKeyArn,
    EXPORT_ENDPOINT: settings.exportEndpoint,
    TRAIL_BUCKET: RESOURCES.trailBucket,
    DECRYPTING_ROLE_ARNS: API_ROLE_ARN,
    REWRAPPING_ROLE_ARNS: API_ROLE_ARN,
    KEY_USER_ROLE_ARNS: API_ROLE_ARN,
    // The key of any customer that a developer makes up.
    CUSTOMER_KEY_ACCOUNTS: 'any',
    SYNC_ACCOUNTS: RESOURCES.customerAccountId,
    DEFAULT_PLAN: 'enterprise',
    CHECKPOINT_KEY_ARN: settings.checkpointKeyArn,
    LOG_NAME: RESOURCES.logName,
    SEAL_QUEUE_URL: settings.sealQueueUrl,
    DELIVERY_QUEUE_URL: settings.deliveryQueueUrl,
    // A developer's receiver runs on the same machine.
    ALLOW_PRIVATE_WEBHOOKS: 'true',
    ROOT_SECRET_ID: RESOURCES.rootSecretId,
    SETUP_TOKEN_SECRET_ID: RESOURCES.setupTokenSecretId,
    SECRETS_KEY_ARNS: settings.secretsKeyArn,
    SIGNING_KEY_ARNS: settings.signingKeyArn,
    PUBLIC_URL: settings.url,
    MAIL_FROM: RESOURCES.mailFrom,
    PWNED_PASSWORDS_URL: settings.pwnedPasswordsUrl,
    POWERTOOLS_SERVICE_NAME: 'lockzero',
    POWERTOOLS_METRICS_NAMESPACE: 'Lockzero',
    ...(quiet ? { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' } : {}),
  });
}
