import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { ApiStack } from './api-stack.ts';
import { FailedRuns } from './constructs/failed-runs.ts';
import type { DataStack } from './data-stack.ts';
import type { JobsStack } from './jobs-stack.ts';
import { namesOf } from './names.ts';
import { dailyAt } from './rhythm.ts';
import {
  addScheduledFunction,
  RETRIED,
  type ScheduledFunction,
  watchedFunction,
} from './scheduled-function.ts';
import type { StageConfig } from './stage.ts';
import type { TrailStack } from './trail-stack.ts';
import { valueKeyEnvironment, valueKeyRoles } from './value-keys.ts';
import { Alarms } from './watch/alarms.ts';
import { CallLog } from './watch/call-log.ts';
import { ChangeRules } from './watch/change-rules.ts';
import { CustomerTrail } from './watch/customer-trail.ts';
import { apiAlarms, copyAlarms, customerEventAlarms, keyAlarms } from './watch/edge-alarms.ts';
import { deadLetterAlarm, functionAlarms, queueAlarm } from './watch/function-alarms.ts';
import { RecoveryRole } from './watch/recovery-role.ts';
import { Snapshots } from './watch/snapshots.ts';
import { vaultAlarms } from './watch/vault-alarms.ts';
import type { WatchedFunction, WatchedQueue } from './watch/watched.ts';

export interface WatchStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly jobs: JobsStack;
  readonly trail: TrailStack;
  readonly dataKeyArn: string;
  readonly secretsKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
}

interface Watched {
  readonly functions: readonly WatchedFunction[];
  readonly deadLetters: readonly WatchedQueue[];
}

/** What never sleeps: the call log and its reconciliation, alarms that go to one topic, hourly snapshots, and a budget. */
export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, props: WatchStackProps) {
    super(scope, id, props);
    const { stage, data, dataKeyArn } = props;
    const { prefix, alarmTopic } = namesOf(stage);
    const topic = new Topic(this, 'AlarmTopic', {
      topicName: alarmTopic,
      displayName: `Lockzero ${stage.name}`,
      masterKey: Key.fromKeyArn(this, 'DataKey', dataKeyArn) as IKey,
      enforceSSL: true,
    });
    // A topic with a policy of its own has lost the default one, which lets the account's own alarms in.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'PublishAlarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    for (const address of stage.alarmEmails) topic.addSubscription(new EmailSubscription(address));
    const callLog = new CallLog(this, 'CallLog', { stage, accessLogsName: data.accessLogsName });
    const own = this.reconciler(callLog, props);
    this.alarms(new Alarms(this, 'Alarms', { prefix, topic }), own, props);
    if (stage.customerTrail !== undefined) new CustomerTrail(this, 'Customer', { stage, callLog });
    new ChangeRules(this, 'Changes', { stage, topic });
    new Snapshots(this, 'Snapshots', { stage, dataKeyArn, tables: [data.vault, data.audit] });
    if (stage.recovery) new RecoveryRole(this, 'Recovery', props);
    if (stage.monthlyBudgetUsd > 0) this.budget(prefix, stage.monthlyBudgetUsd, topic);
    new CfnOutput(this, 'AlarmTopicArn', { value: topic.topicArn });
  }

  /** Compares the calls on keys for values with the audit rows. */
  private reconciler({ bucket }: CallLog, props: WatchStackProps): Watched {
    const { stage, secretsKeyArns } = props;
    const { prefix } = namesOf(stage);
    const failedRuns = new FailedRuns(this, 'FailedRuns');
    const group = new ScheduleGroup(this, 'Schedules', { scheduleGroupName: `${prefix}-watch` });
    const job: ScheduledFunction = {
      functionName: 'reconciler',
      description: 'Compares the calls on keys for values with the audit rows of the day before, daily',
      rhythm: dailyAt(3, 30),
      timeout: Duration.minutes(15),
      memorySize: 1769,
      retries: RETRIED,
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      queriesList: true,
      auditActions: ['GetItem', 'PutItem', 'Query'],
      objects: [{ bucketArn: bucket.bucketArn, prefix: 'AWSLogs/', actions: ['GetObject'] }],
      environment: {
        TRAIL_BUCKET: bucket.bucketName,
        ...valueKeyEnvironment(stage, secretsKeyArns),
        DECRYPTING_ROLE_ARNS: valueKeyRoles(stage, 'kms:Decrypt'),
        REWRAPPING_ROLE_ARNS: valueKeyRoles(stage, 'kms:ReEncryptFrom'),
      },
    };
    addScheduledFunction(this, job, { ...props, group, failedRuns });
    return {
      functions: [watchedFunction(job)],
      deadLetters: [{ name: 'watch-failed-runs', queue: failedRuns as IQueue }],
    };
  }

  private alarms(alarms: Alarms, own: Watched, props: WatchStackProps): void {
    const { stage, data, api, jobs, trail, secretsKeyArns } = props;
    const { prefix } = namesOf(stage);
    const functions = [...api.functions, ...jobs.functions, ...trail.functions, ...own.functions];
    const rules = [
      ...functions.flatMap((watched) => functionAlarms(prefix, watched)),
      ...trail.queues.map(queueAlarm),
      ...[...jobs.deadLetters, ...trail.deadLetters, ...own.deadLetters].map(deadLetterAlarm),
      ...vaultAlarms(),
      ...apiAlarms(prefix, api.apiStage),
      ...keyAlarms(stage, secretsKeyArns),
      ...copyAlarms(stage, data.archive.bucketName),
      ...customerEventAlarms(stage),
    ];
    for (const rule of rules) alarms.add(rule);
  }

  /** The account’s costs: AWS Budgets looks a few times a day, at what is billed so far and at what is to be expected. */
  private budget(prefix: string, amount: number, topic: Topic): void {
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'PublishBudget',
        principals: [new ServicePrincipal('budgets.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': this.account },
          ArnLike: { 'aws:SourceArn': `arn:${this.partition}:budgets::${this.account}:*` },
        },
      }),
    );
    const subscribers = [{ subscriptionType: 'SNS', address: topic.topicArn }];
    const notify = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: prefix,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount, unit: 'USD' },
      },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('FORECASTED', 100)],
    });
  }
}
