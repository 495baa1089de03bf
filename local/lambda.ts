import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';

/** A handler as Lambda's Node.js runtime calls it. */
export type LambdaHandler<Event, Result> = (event: Event, context: Context) => Promise<Result>;

/**
 * Calls a handler as Lambda does, but for its limits of time and size.
 *
 * @param timeoutSeconds what the handler may believe that it has; nobody stops it here.
 */
export function invoke<Event, Result>(
  functionName: string,
  handler: LambdaHandler<Event, Result>,
  event: Event,
  timeoutSeconds: number,
): Promise<Result> {
  const end = performance.now() + timeoutSeconds * 1000;
  const context: Context = {
    callbackWaitsForEmptyEventLoop: false,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '1024',
    awsRequestId: randomUUID(),
    logGroupName: functionName,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
    done: noCallbacks,
    fail: noCallbacks,
    succeed: noCallbacks,
  };
  return handler(event, context);
}

function noCallbacks(): never {
  throw new Error('Handlers answer with a promise; the runtime of Node.js 24 has no callbacks.');
}
