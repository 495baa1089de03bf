import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';

/** A handler as Lambda's Node.js runtime calls it. */
export type LambdaHandler<Event, Result> = (event: Event, context: Context) => Promise<Result>;

/** Calls a handler as Lambda does, but for its limits of time and size. */
export function invoke<Event, Result>(
  functionName: string,
  handler: LambdaHandler<Event, Result>,
  event: Event,
): Promise<Result> {
  const context: Context = {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '1024',
    awsRequestId: randomUUID(),
    logGroupName: functionName,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => 28_000,
    done: noCallbacks,
    fail: noCallbacks,
    succeed: noCallbacks,
  };
  return handler(event, context);
}

function noCallbacks(): never {
  throw new Error('Handlers answer with a promise; the runtime of Node.js 24 has no callbacks.');
}
