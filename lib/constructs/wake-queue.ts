import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

export interface WakeQueueProps {
  /** Of the function that it wakes. */
  readonly timeout: Duration;
}

/** Lambda's pollers of one queue: enough for many workspaces at once, and half of what a new account has. */
const MAX_CONCURRENCY = 5;

/**
 * A FIFO queue that wakes a function for one workspace after the other: the workspace is the message group, of which
 * one batch is under way at a time. A message that fails five times goes to a queue of its own, so that the group goes on.
 */
export class WakeQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: WakeQueueProps) {
    super(scope, id);
    const common = {
      fifo: true,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    };
    this.deadLetters = new Queue(this, 'DeadLetters', common);
    acknowledge(this.deadLetters, 'This is the dead-letter queue.', 'AwsSolutions-SQS3');
    this.queue = new Queue(this, 'Queue', {
      ...common,
      // Lambda retries a batch within this time when it is throttled (Lambda, "Using Lambda with Amazon SQS").
      visibilityTimeout: Duration.seconds(6 * props.timeout.toSeconds()),
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
  }

  /** What the role of the function that it wakes must hold. */
  receiving(): PolicyStatement {
    return new PolicyStatement({
      actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
      resources: [this.queue.queueArn],
    });
  }

  wake(handler: IFunction): void {
    handler.addEventSourceMapping('Wakes', {
      eventSourceArn: this.queue.queueArn,
      batchSize: 10,
      maxConcurrency: MAX_CONCURRENCY,
    });
  }
}
