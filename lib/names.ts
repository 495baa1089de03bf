import { ArnFormat, Aws, type Stack } from 'aws-cdk-lib';
import type { StageConfig } from './stage.ts';

/** Every function of the vault; each has its entry at `lambdas/<name>/handler.ts` and a role of its own. */
export type FunctionName = (typeof FUNCTION_NAMES)[number];

export const FUNCTION_NAMES = [
  'api',
  'verifier',
  'tally',
  'purge',
  'dispatcher',
  'guard',
  'sealer',
  'archiver',
  'retention',
  'deliverer',
  'anomaly',
  'backup',
  'backup-check',
  'probe',
  'snapshot',
  'access-review',
  'reconciler',
  'ct-monitor',
  'rewrapper',
  'syncer',
  'evidence-export',
  'assign-plan',
] as const;

/**
 * Each function has a role; AWS Backup has one, the copying of the archive, what tells the customer's event bus, and an
 * operator who restores.
 */
export type RoleName = FunctionName | 'snapshots' | 'archive-copy' | 'customer-events' | 'restore';

/** The keys of a stage; the key for values of number 1 has none. */
export type KeyName = 'secrets' | `secrets-${number}` | 'data' | 'checkpoint' | `signing-${number}`;

/** The index of the vault table that answers lists. */
export const LIST_INDEX = 'list';

/**
 * The physical names that one stack must know of another without referring to it: key and table policies name roles
 * which later stacks make, and a reference in both directions would be a cycle.
 */
export function namesOf(stage: StageConfig) {
  const prefix = `lockzero-${stage.name}`;
  return {
    prefix,
    vaultTable: `${prefix}-vault`,
    auditTable: `${prefix}-audit`,
    rootSecret: `lockzero/${stage.name}/root`,
    setupTokenSecret: `lockzero/${stage.name}/setup-token`,
    keyAlias: (key: KeyName) => `alias/lockzero/${stage.name}/${key}`,
    logGroup: (source: string) => `/lockzero/${stage.name}/${source}`,
    /** Other stacks find the buckets' ARNs under these, so that a policy can name a prefix in them. */
    bucketArnExport: (bucket: 'archive' | 'staging' | 'backup') => `${prefix}-${bucket}-arn`,
    /** In the other region. Names of buckets are global, and at most 63 characters long. */
    archiveCopyBucket: (region: string) => `${prefix}-copy-${Aws.ACCOUNT_ID}-${region}`,
    /** A part of the account's Secrets Manager for each workspace: their ids all begin with `ws_`, bootstrap secrets do not. */
    workspaceSecrets: `lockzero/${stage.name}/ws_*/`,
    /** The second trail, for the customer. */
    customerTrail: `${prefix}-customer`,
    /** The rule that tells the customer's event bus. */
    customerRule: `${prefix}-customer`,
    /**
     * What the origin of every log begins with. Who keeps a checkpoint knows the log by it, so it must never change: it
     * is made of what cannot change either without this being another deployment.
     */
    logName: stage.logName ?? `${prefix}.${stage.region}.${stage.account ?? Aws.ACCOUNT_ID}`,
    /** WAF writes to no log group whose name begins otherwise. */
    wafLogGroup: `aws-waf-logs-${prefix}`,
    /** Where alarms go. */
    alarmTopic: `${prefix}-alarms`,
    /** IAM is global, so a role's name carries its region. `retention` is the one role that may delete audit rows. */
    role: (role: RoleName) => `${prefix}-${stage.region}-${role}`,
  };
}

/** The ARN of a role of this account by its fixed name. */
export function roleArn(roleName: string): string {
  return `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${roleName}`;
}

/** The ARN of a log group without the trailing `:*`, the form that KMS contexts and WAF use. */
export function logGroupArn(stack: Stack, logGroupName: string): string {
  return stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** `backup-check` as `BackupCheck`: as a logical id, or as the Sid of a statement. */
export function pascalCase(name: FunctionName): string {
  return name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
