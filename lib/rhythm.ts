import { Duration, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';

/** When something runs, and how often that is: an alarm notices when it does not. */
export interface Rhythm {
  readonly expression: ScheduleExpression;
  readonly every: Duration;
}

/** @param minutes a divisor of 60, or 60. */
export function everyMinutes(minutes: 1 | 5 | 15 | 60): Rhythm {
  const minute = { 1: '*', 5: '0/5', 15: '0/15', 60: '0' }[minutes];
  return {
    expression: ScheduleExpression.cron({ minute, timeZone: TimeZone.ETC_UTC }),
    every: Duration.minutes(minutes),
  };
}

/** By UTC. */
export function dailyAt(hour: number, minute: number): Rhythm {
  return {
    expression: ScheduleExpression.cron({
      hour: String(hour),
      minute: String(minute),
      timeZone: TimeZone.ETC_UTC,
    }),
    every: Duration.days(1),
  };
}
