import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import { FailedRuns } from './constructs/failed-runs.ts';
import { VaultFunction } from './constructs/vault-function.ts';
import type { DataStack } from './data-stack.ts';
import { logEnvironment, readArchive, readCheckpointKey, signCheckpoints } from './log-access.ts';
import { namesOf } from './names.ts';
import { dailyAt, everyMinutes } from './rhythm.ts';
import {
  addScheduledFunction,
  RETRIED,
  type ScheduledFunction,
  watchedFunction,
} from './scheduled-function.ts';
import { planEnvironment, type StageConfig } from './stage.ts';
import { tenancyJobs } from './tenancy-jobs.ts';
import { watchJobs } from './watch/watch-jobs.ts';
import type { WatchedFunction, WatchedQueue } from './watch/watched.ts';

export interface JobsStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  /** The deployment's own keys for values: the one that wraps, then those that still unwrap. */
  readonly secretsKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
  /** Where clients find the API, without a slash at the end. */
  readonly publicUrl: string;
}

/** What runs by the clock, or when an operator says so. A run of a schedule that cannot be started, or fails to its last retry, leaves a message in one queue. */
export class JobsStack extends Stack {
  readonly functions: readonly WatchedFunction[];
  readonly deadLetters: readonly WatchedQueue[];

  constructor(scope: Construct, id: string, props: JobsStackProps) {
    super(scope, id, props);
    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: namesOf(props.stage).prefix });
    const failedRuns = new FailedRuns(this, 'FailedRuns');
    const scheduled = [...auditJobs(props), ...watchJobs(this, props), ...tenancyJobs(this, props)];
    for (const job of scheduled) addScheduledFunction(this, job, { ...props, group, failedRuns });
    this.functions = [...scheduled.map(watchedFunction), this.assignPlan(props)];
    this.deadLetters = [{ name: 'jobs-failed-runs', queue: failedRuns as IQueue }];
  }

  /** The one function that nothing but an operator runs: whoever IAM lets invoke it. */
  private assignPlan({ stage, data, dataKeyArn }: JobsStackProps): WatchedFunction {
    const timeout = Duration.minutes(1);
    const { handler } = new VaultFunction(this, 'AssignPlanFunction', {
      stage,
      functionName: 'assign-plan',
      description: 'Gives a workspace another plan, when an operator says so',
      vault: data.vault,
      audit: data.audit,
      dataKeyArn,
      vaultActions: ['GetItem', 'PutItem'],
      auditActions: ['GetItem', 'PutItem', 'Query'],
      timeout,
      environment: planEnvironment(stage),
    });
    acknowledge(
      handler,
      'An operator calls it and waits for the answer: a failed call goes back to them, never to a queue.',
      'NIST.800.53.R5-LambdaDLQ',
    );
    new CfnOutput(this, 'AssignPlanFunctionName', {
      value: `${namesOf(stage).prefix}-assign-plan`,
      description:
        'aws lambda invoke --function-name <it> --cli-binary-format raw-in-base64-out --payload \'{"workspaceId": "ws_…", "plan": "enterprise"}\' /dev/stdout',
    });
    return { functionName: 'assign-plan', timeout };
  }
}

/** What keeps the audit trails, and what is due to be removed. */
function auditJobs({ stage, data, checkpointKeyArn }: JobsStackProps): ScheduledFunction[] {
  const environment = logEnvironment(stage, data, checkpointKeyArn);
  const readLog = readArchive(data, 'log/');
  const readDays = readArchive(data, 'archive/');
  return [
    {
      functionName: 'verifier',
      description:
        'Goes on with verifying the audit trails, their archive and every entity, every five minutes',
      rhythm: everyMinutes(5),
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
      rhythm: everyMinutes(1),
      timeout: Duration.seconds(50),
      retries: { attempts: 0, maxAge: Duration.minutes(1) },
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      auditActions: ['GetItem', 'PutItem', 'Query'],
    },
    {
      functionName: 'purge',
      description: 'Removes what has come to the end of its life: secrets, keys, workspaces, people, daily',
      rhythm: dailyAt(2, 15),
      timeout: Duration.minutes(15),
      retries: RETRIED,
      vaultActions: ['BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query'],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
    },
    {
      functionName: 'archiver',
      description: 'Archives the audit rows of each day that is over, daily',
      rhythm: dailyAt(4, 0),
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
      rhythm: dailyAt(6, 0),
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
