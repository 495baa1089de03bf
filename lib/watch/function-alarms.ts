import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { type AlarmRule, FIVE_MINUTES } from './alarms.ts';
import type { WatchedFunction, WatchedQueue } from './watched.ts';

/** How much of its time a function may take before somebody should look. */
const TIMEOUT_SHARE = 0.8;
/** A stream keeps its records for a day; minutes of lag mean that something is stuck. */
const MAX_LAG = Duration.minutes(5);

/** Errors, throttles, duration, lag and silence of one function. */
export function functionAlarms(prefix: string, watched: WatchedFunction): AlarmRule[] {
  const { functionName, timeout, every, followsStream = false } = watched;
  const metric = (metricName: string, statistic: string, period = FIVE_MINUTES) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { FunctionName: `${prefix}-${functionName}` },
      statistic,
      period,
    });
  return [
    {
      name: `${functionName}-errors`,
      says: `The function ${functionName} failed.`,
      section: 'A function fails',
      metric: metric('Errors', Stats.SUM),
    },
    {
      name: `${functionName}-throttles`,
      says: `Lambda refused to start the function ${functionName}: too many run at once.`,
      section: 'A function fails',
      metric: metric('Throttles', Stats.SUM),
    },
    {
      name: `${functionName}-duration`,
      says: `The function ${functionName} took more than ${TIMEOUT_SHARE * 100} % of the time that it has.`,
      section: 'A function fails',
      metric: metric('Duration', Stats.MAXIMUM),
      atLeast: TIMEOUT_SHARE * timeout.toMilliseconds(),
      // Once is an accident, if the next run comes within the next period; what is cut off shows as an error besides.
      periods: every === undefined || every.toMinutes() <= FIVE_MINUTES.toMinutes() ? 2 : 1,
    },
    ...(followsStream
      ? [
          {
            name: `${functionName}-lag`,
            says: `The function ${functionName} is more than ${MAX_LAG.toMinutes()} minutes behind its stream.`,
            section: 'Streams or queues lag behind' as const,
            metric: metric('IteratorAge', Stats.MAXIMUM),
            atLeast: MAX_LAG.toMilliseconds(),
          },
        ]
      : []),
    ...(every === undefined ? [] : [silence(watched, every, metric)]),
  ];
}

/** No run for some of its turns. */
function silence(
  { functionName }: WatchedFunction,
  every: Duration,
  metric: (metricName: string, statistic: string, period: Duration) => Metric,
): AlarmRule {
  const minutes = every.toMinutes();
  const isDaily = minutes >= Duration.days(1).toMinutes();
  // An alarm looks back over a day at most, unless its periods are hours; 26 of them give a daily run two to spare.
  const [period, periods] = isDaily
    ? [Duration.hours(1), minutes / 60 + 2]
    : [Duration.minutes(Math.max(15, 3 * minutes)), 1];
  return {
    name: `${functionName}-silence`,
    says: `The schedule of the function ${functionName} has not run it for ${isDaily ? `${periods} hours` : `${period.toMinutes()} minutes`}.`,
    section: 'A scheduled job does not run',
    metric: metric('Invocations', Stats.SUM, period),
    below: 1,
    periods,
    silenceRings: true,
  };
}

/** Messages that wait too long. */
export function queueAlarm({ name, queue }: WatchedQueue): AlarmRule {
  return {
    name: `${name}-age`,
    says: `Messages in the queue ${name} wait for more than ${MAX_LAG.toMinutes()} minutes.`,
    section: 'Streams or queues lag behind',
    metric: queue.metricApproximateAgeOfOldestMessage({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
    atLeast: MAX_LAG.toSeconds(),
  };
}

/** Anything in a queue where only failures go. */
export function deadLetterAlarm({ name, queue }: WatchedQueue): AlarmRule {
  return {
    name: `${name}-messages`,
    says: `The queue ${name} holds what nobody could handle.`,
    section: 'Messages that nobody could handle',
    metric: queue.metricApproximateNumberOfMessagesVisible({
      period: FIVE_MINUTES,
      statistic: Stats.MAXIMUM,
    }),
  };
}
