import type { Duration } from 'aws-cdk-lib';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { FunctionName } from '../names.ts';

/** A function as its alarms have to know it. */
export interface WatchedFunction {
  readonly functionName: FunctionName;
  readonly timeout: Duration;
  /**
   * How often a schedule runs it: its silence is an alarm.
   * @default - no schedule does
   */
  readonly every?: Duration;
  /**
   * Whether it follows a stream: falling behind is an alarm.
   * @default false
   */
  readonly followsStream?: boolean;
}

/** A queue that is emptied by a function. */
export interface WatchedQueue {
  readonly name: string;
  readonly queue: IQueue;
}
