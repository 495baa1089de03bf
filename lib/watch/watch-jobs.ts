import { basename } from 'node:path';
import { Duration, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { DataStack } from '../data-stack.ts';
import { useBackups } from '../log-access.ts';
import { dailyAt, everyMinutes } from '../rhythm.ts';
import { madeUpForIn, RETRIED, type ScheduledFunction } from '../scheduled-function.ts';
import { planEnvironment, type StageConfig } from '../stage.ts';

export interface WatchJobsProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  readonly publicUrl: string;
}

/** What reads the trail and raises alerts, which are entities with rows of their own. */
const RAISING = {
  vaultActions: ['GetItem', 'PutItem', 'Query'],
  queriesList: true,
  auditActions: ['GetItem', 'PutItem', 'Query'],
} as const satisfies Partial<ScheduledFunction>;

/** What looks for trouble by the clock: in the trails, in the backups, from outside, and at who has which rights. */
export function watchJobs(stack: Stack, props: WatchJobsProps): ScheduledFunction[] {
  return [anomaly(props), ...backups(stack, props), ...reviews(props), ...fromOutside(props)];
}

function anomaly({ stage }: WatchJobsProps): ScheduledFunction {
  const { geoDatabase } = stage;
  return {
    functionName: 'anomaly',
    description: 'Looks for anomalies in what is new in the audit trails, every five minutes',
    rhythm: everyMinutes(5),
    timeout: Duration.minutes(5),
    // One full vCPU: it reads many rows.
    memorySize: 1769,
    retries: madeUpForIn(Duration.minutes(5)),
    ...RAISING,
    vaultActions: ['BatchGetItem', ...RAISING.vaultActions],
    ...(geoDatabase === undefined
      ? {}
      : {
          bundledFiles: [geoDatabase],
          environment: { GEO_DATABASE_FILE: `/var/task/${basename(geoDatabase)}` },
        }),
  };
}

function backups(stack: Stack, { data, dataKeyArn }: WatchJobsProps): ScheduledFunction[] {
  const writing = useBackups(stack, data, dataKeyArn, 'write');
  return [
    {
      functionName: 'backup',
      description: 'Asks for the nightly exports of both tables, daily',
      rhythm: dailyAt(1, 0),
      timeout: Duration.minutes(2),
      retries: RETRIED,
      ...RAISING,
      ...writing,
      statements: [
        ...(writing.statements ?? []),
        new PolicyStatement({
          actions: ['dynamodb:DescribeTable', 'dynamodb:ExportTableToPointInTime'],
          resources: [data.vault.tableArn, data.audit.tableArn],
        }),
      ],
      environment: { BACKUP_BUCKET: data.backup.bucketName, BACKUP_KEY_ARN: dataKeyArn },
    },
    {
      functionName: 'backup-check',
      description: 'Looks whether the newest backup is complete and fresh, daily',
      rhythm: dailyAt(5, 0),
      timeout: Duration.minutes(5),
      retries: RETRIED,
      ...RAISING,
      ...useBackups(stack, data, dataKeyArn, 'read'),
      environment: { BACKUP_BUCKET: data.backup.bucketName },
    },
  ];
}

function reviews({ stage }: WatchJobsProps): ScheduledFunction[] {
  return [
    {
      functionName: 'snapshot',
      description: 'Records counts and posture of every workspace, and opens and closes findings, daily',
      rhythm: dailyAt(0, 30),
      timeout: Duration.minutes(15),
      retries: RETRIED,
      ...RAISING,
      vaultActions: ['BatchGetItem', ...RAISING.vaultActions],
      environment: planEnvironment(stage),
    },
    {
      functionName: 'access-review',
      description: 'Tells of keys and members that somebody should look at, daily',
      rhythm: dailyAt(7, 0),
      timeout: Duration.minutes(15),
      retries: RETRIED,
      ...RAISING,
      vaultActions: ['BatchGetItem', ...RAISING.vaultActions],
    },
  ];
}

function fromOutside({ stage, publicUrl }: WatchJobsProps): ScheduledFunction[] {
  const probe: ScheduledFunction = {
    functionName: 'probe',
    description: 'Writes, reveals and verifies in the canary workspace, over HTTP, every 15 minutes',
    rhythm: everyMinutes(15),
    timeout: Duration.minutes(2),
    retries: madeUpForIn(Duration.minutes(15)),
    ...RAISING,
    vaultActions: ['DeleteItem', ...RAISING.vaultActions],
    environment: { PUBLIC_URL: publicUrl },
  };
  if (stage.watchedDomains.length === 0) return [probe];
  return [
    probe,
    {
      functionName: 'ct-monitor',
      description: 'Searches the logs of certificate transparency for the watched domains, hourly',
      rhythm: everyMinutes(60),
      timeout: Duration.minutes(5),
      retries: madeUpForIn(Duration.hours(1)),
      ...RAISING,
      environment: {
        WATCHED_DOMAINS: stage.watchedDomains.join(','),
        ...(stage.certificateIssuers.length === 0
          ? {}
          : { CERTIFICATE_ISSUERS: stage.certificateIssuers.join(',') }),
      },
    },
  ];
}
