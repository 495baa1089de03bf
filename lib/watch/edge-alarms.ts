import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
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
 * What KMS says of the key for values (KMS, "Monitor KMS keys with CloudWatch", metric SuccessfulRequest).
 *
 * @param hourly how many values may be opened in an hour.
 */
export function keyAlarm(keyArn: string, hourly: number): AlarmRule {
  return {
    name: 'kms-decrypts',
    says: `The key for values decrypted ${hourly.toLocaleString('en')} times or more within an hour.`,
    section: 'The KMS key is used too often',
    metric: new Metric({
      namespace: 'AWS/KMS',
      metricName: 'SuccessfulRequest',
      dimensionsMap: { KeyArn: keyArn, Operation: 'Decrypt' },
      statistic: Stats.SUM,
      period: Duration.hours(1),
    }),
    atLeast: hourly,
  };
}
