import { Duration, type Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Schedule, type ScheduleGroup, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { acknowledge } from './constructs/acknowledge.ts';
import { VaultFunction, type VaultFunctionProps } from './constructs/vault-function.ts';
import type { DataStack } from './data-stack.ts';
import { pascalCase } from './names.ts';
import type { Rhythm } from './rhythm.ts';
import type { StageConfig } from './stage.ts';
import type { WatchedFunction } from './watch/watched.ts';

/** A function that runs by the clock, and perhaps for other reasons too. */
export interface ScheduledFunction
  extends Pick<
    VaultFunctionProps,
    | 'accepted'
    | 'auditActions'
    | 'bundledFiles'
    | 'description'
    | 'environment'
    | 'functionName'
    | 'memorySize'
    | 'objects'
    | 'queriesList'
    | 'statements'
    | 'timeout'
    | 'valueKeys'
    | 'vaultActions'
  > {
  readonly rhythm: Rhythm;
  /** How often a failed run is repeated, and for how long. A run that the next one makes up for is not repeated. */
  readonly retries: { readonly attempts: 0 | 1 | 2; readonly maxAge: Duration };
}

/** For jobs that the next run does not make up for. */
export const RETRIED: ScheduledFunction['retries'] = { attempts: 2, maxAge: Duration.hours(2) };

/** For jobs of which the next run comes soon. */
export function madeUpForIn(maxAge: Duration): ScheduledFunction['retries'] {
  return { attempts: 0, maxAge };
}

/** What the functions of one stack share. */
export interface Surroundings {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  readonly group: ScheduleGroup;
  /** Gets a message for each run that cannot be started, or fails to its last retry. */
  readonly failedRuns: Queue;
}

/** Makes the function and its schedule, directly in the stack. */
export function addScheduledFunction(
  stack: Stack,
  job: ScheduledFunction,
  surroundings: Surroundings,
): IFunction {
  const { stage, data, dataKeyArn, failedRuns } = surroundings;
  const { rhythm: _clock, retries, ...props } = job;
  const { handler } = new VaultFunction(stack, `${pascalCase(job.functionName)}Function`, {
    ...props,
    stage,
    vault: data.vault,
    audit: data.audit,
    dataKeyArn,
    statements: [
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failedRuns.queueArn] }),
      ...(props.statements ?? []),
    ],
  });
  handler.configureAsyncInvoke({
    retryAttempts: retries.attempts,
    maxEventAge: retries.maxAge,
    onFailure: new SqsDestination(failedRuns),
  });
  acknowledge(
    handler,
    'Failed runs go to the queue FailedRuns as an on-failure destination, which tells more than a dead-letter queue.',
    'NIST.800.53.R5-LambdaDLQ',
  );
  addSchedule(stack, job, surroundings, handler);
  return handler;
}

/** As its alarms have to know it. */
export function watchedFunction({ functionName, timeout, rhythm }: ScheduledFunction): WatchedFunction {
  return { functionName, timeout, every: rhythm.every };
}

function addSchedule(
  stack: Stack,
  job: ScheduledFunction,
  { stage, group, failedRuns }: Surroundings,
  handler: IFunction,
): void {
  const role = new Role(stack, `${pascalCase(job.functionName)}ScheduleRole`, {
    description: `Lockzero ${stage.name}: lets the scheduler start ${job.functionName}`,
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnEquals: { 'aws:SourceArn': group.scheduleGroupArn },
      },
    }),
  });
  const policy = new ManagedPolicy(stack, `${pascalCase(job.functionName)}SchedulePolicy`, {
    roles: [role],
    statements: [
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failedRuns.queueArn] }),
    ],
  });
  const schedule = new Schedule(stack, `${pascalCase(job.functionName)}Schedule`, {
    description: job.description,
    schedule: job.rhythm.expression,
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
