import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, FilterRule, type IFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { publishAlerts, readSecrets, sendMail, topicEnvironment } from './api-permissions.ts';
import { acknowledge } from './constructs/acknowledge.ts';
import { FailedRuns } from './constructs/failed-runs.ts';
import { VaultFunction, type VaultFunctionProps } from './constructs/vault-function.ts';
import { WakeQueue } from './constructs/wake-queue.ts';
import type { DataStack } from './data-stack.ts';
import { logEnvironment, readArchive, signCheckpoints } from './log-access.ts';
import { namesOf } from './names.ts';
import { everyMinutes } from './rhythm.ts';
import { addScheduledFunction, type Surroundings } from './scheduled-function.ts';
import type { StageConfig } from './stage.ts';
import type { WatchedFunction, WatchedQueue } from './watch/watched.ts';

export interface TrailStackProps extends StackProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  readonly dataKeyArn: string;
  readonly checkpointKeyArn: string;
}

const EVERY_MINUTE = {
  rhythm: everyMinutes(1),
  // The next run makes up for it.
  retries: { attempts: 0, maxAge: Duration.minutes(1) },
} as const;

/** A seal takes seconds; an operator's recovery of a large log as long as it may. */
const SEALER_TIMEOUT = Duration.minutes(15);
/** It takes no new work after 45 seconds, and a webhook may take 10 more, with a few writes around it. */
const DELIVERER_TIMEOUT = Duration.seconds(90);
const DISPATCHER_TIMEOUT = Duration.minutes(1);
const GUARD_TIMEOUT = Duration.minutes(5);

/**
 * What follows the tables' streams. Each has two readers at most: the tamper guard looks at every change of both tables;
 * the dispatcher tells the sealer and the deliverer, through a queue each, which workspaces have new rows. Those two look
 * every minute besides, so that a lost message costs a minute.
 */
export class TrailStack extends Stack {
  readonly functions: readonly WatchedFunction[];
  readonly queues: readonly WatchedQueue[];
  readonly deadLetters: readonly WatchedQueue[];

  constructor(scope: Construct, id: string, props: TrailStackProps) {
    super(scope, id, props);
    const { stage, checkpointKeyArn } = props;
    const { prefix, logName } = namesOf(stage);
    const failedRuns = new FailedRuns(this, 'FailedRuns');
    const surroundings: Surroundings = {
      ...props,
      group: new ScheduleGroup(this, 'Schedules', { scheduleGroupName: `${prefix}-trail` }),
      failedRuns,
    };

    const sealQueue = this.sealer(surroundings, checkpointKeyArn);
    const deliveryQueue = this.deliverer(surroundings);
    this.dispatcher(surroundings, { sealQueue, deliveryQueue });
    this.guard(surroundings);
    const { every } = EVERY_MINUTE.rhythm;
    this.functions = [
      { functionName: 'sealer', timeout: SEALER_TIMEOUT, every },
      { functionName: 'deliverer', timeout: DELIVERER_TIMEOUT, every },
      { functionName: 'dispatcher', timeout: DISPATCHER_TIMEOUT, followsStream: true },
      { functionName: 'guard', timeout: GUARD_TIMEOUT, followsStream: true },
    ];
    this.queues = [
      { name: 'seal-queue', queue: sealQueue.queue as IQueue },
      { name: 'delivery-queue', queue: deliveryQueue.queue as IQueue },
    ];
    this.deadLetters = [
      { name: 'trail-failed-runs', queue: failedRuns as IQueue },
      { name: 'seal-dead-letters', queue: sealQueue.deadLetters as IQueue },
      { name: 'delivery-dead-letters', queue: deliveryQueue.deadLetters as IQueue },
    ];

    new CfnOutput(this, 'LogName', {
      value: logName,
      description: 'What the origins of the audit logs begin with: a witness has to know it',
    });
  }

  private sealer(surroundings: Surroundings, checkpointKeyArn: string): WakeQueue {
    const { stage, data } = surroundings;
    const queue = new WakeQueue(this, 'Seal', { timeout: SEALER_TIMEOUT });
    const readLog = readArchive(data, 'log/');
    const handler = addScheduledFunction(
      this,
      {
        functionName: 'sealer',
        description: 'Seals new audit rows into the logs, when they come and every minute',
        ...EVERY_MINUTE,
        timeout: SEALER_TIMEOUT,
        memorySize: 1024,
        vaultActions: ['GetItem', 'PutItem', 'Query'],
        queriesList: true,
        auditActions: ['GetItem', 'PutItem', 'Query'],
        objects: [
          { ...readLog, actions: [...readLog.actions, 'PutObject'] },
          { bucketArn: data.stagingArn, prefix: '', actions: ['GetObject', 'PutObject'] },
        ],
        statements: [queue.receiving(), signCheckpoints(checkpointKeyArn)],
        environment: {
          ...logEnvironment(stage, data, checkpointKeyArn),
          STAGING_BUCKET: data.staging.bucketName,
          ...(stage.witnesses.length === 0 ? {} : { WITNESSES: JSON.stringify(stage.witnesses) }),
        },
      },
      surroundings,
    );
    queue.wake(handler);
    return queue;
  }

  private deliverer(surroundings: Surroundings): WakeQueue {
    const { stage, data, dataKeyArn } = surroundings;
    const queue = new WakeQueue(this, 'Delivery', { timeout: DELIVERER_TIMEOUT });
    const handler = addScheduledFunction(
      this,
      {
        functionName: 'deliverer',
        description: 'Sends audit events and alerts to their receivers, when they come and every minute',
        ...EVERY_MINUTE,
        timeout: DELIVERER_TIMEOUT,
        vaultActions: ['DeleteItem', 'GetItem', 'PutItem', 'Query'],
        queriesList: true,
        auditActions: ['GetItem', 'PutItem', 'Query'],
        statements: [
          queue.receiving(),
          ...readSecrets(this, dataKeyArn, [data.rootSecret.secretArn]),
          ...(stage.mail === undefined ? [] : [sendMail(this, stage.mail)]),
          ...publishAlerts(stage),
        ],
        environment: {
          ROOT_SECRET_ID: data.rootSecret.secretArn,
          ...(stage.mail === undefined ? {} : { MAIL_FROM: stage.mail.from }),
          ...topicEnvironment(stage),
        },
      },
      surroundings,
    );
    queue.wake(handler);
    return queue;
  }

  private dispatcher(
    surroundings: Surroundings,
    { sealQueue, deliveryQueue }: { readonly sealQueue: WakeQueue; readonly deliveryQueue: WakeQueue },
  ): void {
    const { data } = surroundings;
    const queues = [sealQueue.queue, deliveryQueue.queue];
    const streamArn = streamArnOf(data.audit.tableStreamArn);
    const handler = this.streamFunction(surroundings, [streamArn], {
      functionName: 'dispatcher',
      description: 'Tells the sealer and the deliverer which workspaces have new audit rows',
      timeout: DISPATCHER_TIMEOUT,
      memorySize: 256,
      vaultActions: [],
      auditActions: [],
      statements: [
        new PolicyStatement({
          actions: ['sqs:SendMessage'],
          resources: queues.map(({ queueArn }) => queueArn),
        }),
      ],
      environment: {
        SEAL_QUEUE_URL: sealQueue.queue.queueUrl,
        DELIVERY_QUEUE_URL: deliveryQueue.queue.queueUrl,
      },
    });
    this.follow(surroundings, handler, 'Audit', streamArn, [
      FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') }),
    ]);
  }

  private guard(surroundings: Surroundings): void {
    const { data } = surroundings;
    const streams = {
      Audit: streamArnOf(data.audit.tableStreamArn),
      Vault: streamArnOf(data.vault.tableStreamArn),
    };
    const handler = this.streamFunction(surroundings, Object.values(streams), {
      functionName: 'guard',
      description: 'Raises an alert for whatever changes the tables behind the vault’s back',
      timeout: GUARD_TIMEOUT,
      vaultActions: ['GetItem', 'PutItem', 'Query'],
      auditActions: ['GetItem', 'PutItem', 'Query'],
    });
    for (const [table, streamArn] of Object.entries(streams)) {
      this.follow(surroundings, handler, table, streamArn, []);
    }
  }

  /** A function that may read these streams. */
  private streamFunction(
    { stage, data, dataKeyArn, failedRuns }: Surroundings,
    streamArns: readonly string[],
    props: Omit<VaultFunctionProps, 'stage' | 'vault' | 'audit' | 'dataKeyArn'>,
  ): IFunction {
    const { functionName } = props;
    const id = functionName.charAt(0).toUpperCase() + functionName.slice(1);
    const { handler } = new VaultFunction(this, `${id}Function`, {
      ...props,
      stage,
      vault: data.vault,
      audit: data.audit,
      dataKeyArn,
      statements: [
        new PolicyStatement({
          actions: [
            'dynamodb:DescribeStream',
            'dynamodb:GetRecords',
            'dynamodb:GetShardIterator',
            'dynamodb:ListStreams',
          ],
          resources: [...streamArns],
        }),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [failedRuns.queueArn] }),
        ...(props.statements ?? []),
      ],
    });
    acknowledge(
      handler,
      'Its streams call it, retry for a day, and then say in the queue FailedRuns which records were given up.',
      'NIST.800.53.R5-LambdaDLQ',
    );
    return handler;
  }

  /**
   * In order and from the oldest record on. A batch that fails is halved and tried for as long as the stream keeps it,
   * a day: what tells of tampering must not be dropped because something else was down for an hour.
   */
  private follow(
    { failedRuns }: Surroundings,
    handler: IFunction,
    table: string,
    eventSourceArn: string,
    filters: readonly Record<string, unknown>[],
  ): void {
    handler.addEventSourceMapping(`${table}Stream`, {
      eventSourceArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      maxBatchingWindow: Duration.seconds(1),
      bisectBatchOnError: true,
      maxRecordAge: Duration.hours(24),
      onFailure: new SqsDlq(failedRuns),
      ...(filters.length === 0 ? {} : { filters: [...filters] }),
    });
  }
}

function streamArnOf(arn: string | undefined): string {
  if (arn === undefined) throw new Error('The stack Data gives both tables a stream.');
  return arn;
}
