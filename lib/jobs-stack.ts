import { Duration, Stack, type StackProps, TimeZone } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Schedule, ScheduleExpression, ScheduleGroup, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './constructs/acknowledge.ts';
import type { TableAction } from './constructs/function-role.ts';
import { VaultFunction } from './constructs/vault-function.ts';
import type { DataStack } from './data-stack.ts';
import { type FunctionName, namesOf } from './names.ts';
import type { StageConfig } from './stage.ts';

export interface JobsStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
}

interface Job {
  readonly name: Exclude<FunctionName, 'api'>;
  readonly description: string;
  readonly schedule: ScheduleExpression;
  readonly timeout: Duration;
  readonly memorySize?: number;
  /** How often a failed run is repeated, and for how long. A run that the next one makes up for is not repeated. */
  readonly retries: { readonly attempts: 0 | 1 | 2; readonly maxAge: Duration };
  readonly vaultActions: readonly TableAction[];
  readonly queriesList?: boolean;
  readonly auditActions: readonly TableAction[];
}

const JOBS: readonly Job[] = [
  {
    name: 'verifier',
    description: 'Verifies the audit chain of every workspace and every entity against it, daily',
    schedule: ScheduleExpression.cron({ hour: '3', minute: '15', timeZone: TimeZone.ETC_UTC }),
    timeout: Duration.minutes(15),
    memorySize: 2048,
    retries: { attempts: 2, maxAge: Duration.hours(2) },
    vaultActions: ['BatchGetItem', 'Scan'],
    auditActions: ['GetItem', 'PutItem', 'Query'],
  },
  {
    name: 'tally',
    description: 'Appends the counted rows of folded unauthenticated failures, every minute',
    schedule: ScheduleExpression.cron({ minute: '*', timeZone: TimeZone.ETC_UTC }),
    timeout: Duration.seconds(50),
    retries: { attempts: 0, maxAge: Duration.minutes(1) },
    vaultActions: ['GetItem', 'PutItem', 'Query'],
    auditActions: ['GetItem', 'PutItem', 'Query'],
  },
  {
    name: 'purge',
    description: 'Removes deleted secrets whose recovery window is over, daily',
    schedule: ScheduleExpression.cron({ hour: '2', minute: '15', timeZone: TimeZone.ETC_UTC }),
    timeout: Duration.minutes(15),
    retries: { attempts: 2, maxAge: Duration.hours(2) },
    vaultActions: ['DeleteItem', 'GetItem', 'PutItem', 'Query'],
    queriesList: true,
    auditActions: ['GetItem', 'PutItem', 'Query'],
  },
];

/** What runs by the clock. A run that cannot be started, or fails to its last retry, leaves a message in one queue. */
export class JobsStack extends Stack {
  constructor(scope: Construct, id: string, props: JobsStackProps) {
    super(scope, id, props);
    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: namesOf(props.stage).prefix });
    const failedRuns = this.failedRuns();
    for (const job of JOBS) {
      const handler = this.function(job, props, failedRuns);
      this.schedule(job, props.stage, group, handler, failedRuns);
    }
  }

  private failedRuns(): Queue {
    const queue = new Queue(this, 'FailedRuns', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(queue, 'This is the dead-letter queue.', 'AwsSolutions-SQS3');
    return queue;
  }

  private function(job: Job, { stage, data, dataKeyArn }: JobsStackProps, failedRuns: Queue): IFunction {
    const { handler } = new VaultFunction(this, `${idOf(job)}Function`, {
      stage,
      functionName: job.name,
      description: job.description,
      vault: data.vault,
      audit: data.audit,
      dataKeyArn,
      vaultActions: job.vaultActions,
      auditActions: job.auditActions,
      queriesList: job.queriesList === true,
      statements: [new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failedRuns.queueArn] })],
      timeout: job.timeout,
      ...(job.memorySize === undefined ? {} : { memorySize: job.memorySize }),
    });
    handler.configureAsyncInvoke({
      retryAttempts: job.retries.attempts,
      maxEventAge: job.retries.maxAge,
      onFailure: new SqsDestination(failedRuns),
    });
    acknowledge(
      handler,
      'Failed runs go to the queue FailedRuns as an on-failure destination, which tells more than a dead-letter queue.',
      'NIST.800.53.R5-LambdaDLQ',
    );
    return handler;
  }

  private schedule(
    job: Job,
    stage: StageConfig,
    group: ScheduleGroup,
    handler: IFunction,
    failedRuns: Queue,
  ): void {
    const role = new Role(this, `${idOf(job)}ScheduleRole`, {
      description: `Lockzero ${stage.name}: lets the scheduler start ${job.name}`,
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.account },
          ArnEquals: { 'aws:SourceArn': group.scheduleGroupArn },
        },
      }),
    });
    const policy = new ManagedPolicy(this, `${idOf(job)}SchedulePolicy`, {
      roles: [role],
      statements: [
        new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failedRuns.queueArn] }),
      ],
    });
    const schedule = new Schedule(this, `${idOf(job)}Schedule`, {
      description: job.description,
      schedule: job.schedule,
      scheduleGroup: group,
      timeWindow: TimeWindow.off(),
      target: new LambdaInvoke(handler, {
        // Immutable: the target would add `<function>:*`, every version and alias.
        role: role.withoutPolicyUpdates(),
        deadLetterQueue: failedRuns,
        retryAttempts: job.retries.attempts,
        maxEventAge: job.retries.maxAge,
      }),
    });
    schedule.node.addDependency(policy);
  }
}

function idOf(job: Job): string {
  return job.name.charAt(0).toUpperCase() + job.name.slice(1);
}
