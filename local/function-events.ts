import { join } from 'node:path';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { EventSource } from './event-sources.ts';
import type { Functions } from './functions.ts';
import { openRecords } from './json-records.ts';
import type { Provisioned } from './provision.ts';
import { createQueueConsumer } from './queue-consumer.ts';
import type { ShiftedTime } from './shifted-time.ts';
import { createStreamSource, type StreamPosition } from './streams.ts';

/** What wakes functions beside HTTP and the clock, as the stack `Trail` wires it. */
export function eventSourcesOf(
  functions: Functions,
  { streamArns, queueUrls }: Pick<Provisioned, 'streamArns' | 'queueUrls'>,
  dataDir: string,
  { ahead }: Pick<ShiftedTime, 'ahead'>,
): EventSource[] {
  const sqs = new SQSClient();
  const stream = {
    client: new DynamoDBStreamsClient(),
    positions: openRecords<StreamPosition>(join(dataDir, 'streams.json'), ({ id }) => id),
    ahead,
  };
  const { dispatcher, guard } = functions;
  const toGuard = { ...stream, functionName: 'guard', invoke: guard, accepts: () => true };
  return [
    createStreamSource({
      ...stream,
      streamArn: streamArns.auditStreamArn,
      functionName: 'dispatcher',
      invoke: dispatcher,
      accepts: ({ eventName }) => eventName === 'INSERT',
    }),
    createStreamSource({ ...toGuard, streamArn: streamArns.auditStreamArn }),
    createStreamSource({ ...toGuard, streamArn: streamArns.vaultStreamArn }),
    createQueueConsumer({
      client: sqs,
      queueUrl: queueUrls.sealQueueUrl,
      functionName: 'sealer',
      invoke: functions.jobs.sealer,
    }),
    createQueueConsumer({
      client: sqs,
      queueUrl: queueUrls.deliveryQueueUrl,
      functionName: 'deliverer',
      invoke: functions.jobs.deliverer,
    }),
  ];
}
