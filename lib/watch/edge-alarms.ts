import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { ARCHIVE_COPY_RULE } from '../archive-copy.ts';
import { placeOf } from '../fields.ts';
import { namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { type AlarmRule, FIVE_MINUTES } from './alarms.ts';

/** What API Gateway says. */
export function apiAlarms(apiName: string, apiStage: string): AlarmRule[] {
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiName: apiName, Stage: apiStage },
      statistic,
      period: FIVE_MINUTES,
    });
  return [
    {
      name: 'api-5xx',
      says: 'The API answered five requests within five minutes with a server error.',
      section: 'The API fails or is slow',
      metric: metric('5XXError', Stats.SUM),
      atLeast: 5,
    },
    {
      name: 'api-latency',
      says: 'One request in a hundred took more than five seconds, for fifteen minutes.',
      section: 'The API fails or is slow',
      metric: metric('Latency', Stats.p(99)),
      atLeast: Duration.seconds(5).toMilliseconds(),
      periods: 3,
    },
  ];
}

/**
 * What KMS says of the keys for values (KMS, "Monitor KMS keys with CloudWatch", metric SuccessfulRequest): the
 * deployment's own, and the customer's where it lies in the same account, since it speaks to its own account alone.
 */
export function keyAlarms(stage: StageConfig, secretsKeyArns: readonly string[]): AlarmRule[] {
  const { secretsKeys, tenantKeyArn, account, decryptsPerHour: hourly } = stage;
  const own = secretsKeyArns.map((keyArn, index): readonly [string, string] => {
    const number = secretsKeys[index];
    return [number === 1 ? 'kms-decrypts' : `kms-decrypts-${number}`, keyArn];
  });
  const isHere = tenantKeyArn !== undefined && placeOf(tenantKeyArn).accountId === account;
  const keys = isHere ? [...own, ['kms-decrypts-tenant', tenantKeyArn] as const] : own;
  return keys.map(([name, keyArn]) => ({
    name,
    says: `A key for values decrypted ${hourly.toLocaleString('en')} times or more within an hour.`,
    section: 'The KMS key is used too often',
    metric: new Metric({
      namespace: 'AWS/KMS',
      metricName: 'SuccessfulRequest',
      dimensionsMap: { KeyArn: keyArn, Operation: 'Decrypt' },
      statistic: Stats.SUM,
      period: Duration.hours(1),
    }),
    atLeast: hourly,
  }));
}

/** What EventBridge says of telling the customer's event bus (EventBridge, "Monitoring Amazon EventBridge"). */
export function customerEventAlarms(stage: StageConfig): AlarmRule[] {
  if (stage.customerTrail?.eventBusArn === undefined) return [];
  return [
    {
      name: 'customer-event-failures',
      says: 'An event could not be delivered to the customer’s event bus.',
      section: 'Deploying a tenant, and destroying one',
      metric: new Metric({
        namespace: 'AWS/Events',
        metricName: 'FailedInvocations',
        dimensionsMap: { RuleName: namesOf(stage).customerRule },
        statistic: Stats.SUM,
        period: FIVE_MINUTES,
      }),
    },
  ];
}

/** What S3 says of copying the archive to another region (S3, "Monitoring replication with metrics"). */
export function copyAlarms(stage: StageConfig, archiveName: string): AlarmRule[] {
  const { replicateArchiveTo } = stage;
  if (replicateArchiveTo === undefined) return [];
  return [
    {
      name: 'archive-copy-failures',
      says: `An object of the archive could not be copied to ${replicateArchiveTo}.`,
      section: 'Archive or retention stands still',
      metric: new Metric({
        namespace: 'AWS/S3',
        metricName: 'OperationsFailedReplication',
        dimensionsMap: {
          SourceBucket: archiveName,
          DestinationBucket: namesOf(stage).archiveCopyBucket(replicateArchiveTo),
          RuleId: ARCHIVE_COPY_RULE,
        },
        statistic: Stats.SUM,
        period: FIVE_MINUTES,
      }),
    },
  ];
}
