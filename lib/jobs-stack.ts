import { Duration, Stack, type StackProps, TimeZone } from 'aws-cdk-lib';
import { ScheduleExpression, ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import { FailedRuns } from './constructs/failed-runs.ts';
import type { DataStack } from './data-stack.ts';
import { logEnvironment, readArchive, readCheckpointKey, signCheckpoints } from './log-access.ts';
import { namesOf } from './names.ts';
import { addScheduledFunction, type ScheduledFunction } from './scheduled-function.ts';
import type { StageConfig } from './stage.ts';

export interface JobsStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  readonly checkpointKeyArn: string;
}

/** What runs by the clock alone. A run that cannot be started, or fails to its last retry, leaves a message in one queue. */
export class JobsStack extends Stack {
  constructor(scope: Construct, id: string, props: JobsStackProps) {
    super(scope, id, props);
    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: namesOf(props.stage).prefix });
    const failedRuns = new FailedRuns(this, 'FailedRuns');
    for (const job of jobs(props)) addScheduledFunction(this, job, { ...props, group, failedRuns });
  }
}

/** For jobs that the next run does not make up for. */
const RETRIED: ScheduledFunction['retries'] = { attempts: 2, maxAge: Duration.hours(2) };

function jobs({ stage, data, checkpointKeyArn }: JobsStackProps): ScheduledFunction[] {
  const environment = logEnvironment(stage, data, checkpointKeyArn);
  const readLog = readArchive(data, 'log/');
  const readDays = readArchive(data, 'archive/');
  return [
    {
      functionName: 'verifier',
      description:
        'Goes on with verifying the audit trails, their archive and every entity, every five minutes',
      schedule: ScheduleExpression.cron({ minute: '0/5', timeZone: TimeZone.ETC_UTC }),
      timeout: Duration.minutes(15),
      memorySize: 2048,
      retries: { attempts: 0, maxAge: Duration.minutes(5) },
      vaultActions: ['BatchGetItem', 'GetItem', 'PutItem', 'Query', 'Scan'],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
      objects: [readLog, readDays],
      statements: [readCheckpointKey(checkpointKeyArn)],
      environment,
    },
    {
      functionName: 'tally',
      description: 'Appends the counted rows of folded unauthenticated failures, every minute',
      schedule: ScheduleExpression.cron({ minute: '*', timeZone: TimeZone.ETC_UTC }),
      timeout: Duration.seconds(50),
      retries: { attempts: 0, maxAge: Duration.minutes(1) },
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      auditActions: ['GetItem', 'PutItem', 'Query'],
    },
    {
      functionName: 'purge',
      description: 'Removes deleted secrets whose recovery window is over, daily',
      schedule: dailyAt(2, 15),
      timeout: Duration.minutes(15),
      retries: RETRIED,
      vaultActions: ['DeleteItem', 'GetItem', 'PutItem', 'Query'],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
    },
    {
      functionName: 'archiver',
      description: 'Archives the audit rows of each day that is over, daily',
      schedule: dailyAt(4, 0),
      timeout: Duration.minutes(15),
      // One full vCPU: it compresses.
      memorySize: 1769,
      retries: RETRIED,
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
      objects: [readLog, { ...readDays, actions: [...readDays.actions, 'GetObjectRetention', 'PutObject'] }],
      statements: [signCheckpoints(checkpointKeyArn)],
      environment: { ...environment, ARCHIVE_RETENTION_DAYS: String(stage.archive.retentionDays) },
    },
    {
      functionName: 'retention',
      description: 'Deletes audit rows that are archived and need not be kept any longer, daily',
      schedule: dailyAt(6, 0),
      timeout: Duration.minutes(15),
      retries: RETRIED,
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      queriesList: true,
      auditActions: ['BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query'],
      objects: [readLog, readDays],
      statements: [readCheckpointKey(checkpointKeyArn)],
      environment,
    },
  ];
}

function dailyAt(hour: number, minute: number): ScheduleExpression {
  return ScheduleExpression.cron({
    hour: String(hour),
    minute: String(minute),
    timeZone: TimeZone.ETC_UTC,
  });
}
