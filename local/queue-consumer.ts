import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord, SQSRecordAttributes } from 'aws-lambda';
import { RESOURCES } from './environment.ts';
import type { EventSource } from './event-sources.ts';

export interface QueueConsumerOptions {
  readonly client: Pick<SQSClient, 'send'>;
  readonly queueUrl: string;
  readonly functionName: string;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
}

/** As on AWS. */
const BATCH = 10;

/**
 * Hands the messages of a queue to a function as Lambda's event source does: once the function has succeeded they are
 * deleted; those it failed on come again when their time of being hidden is over.
 */
export function createQueueConsumer({
  client,
  queueUrl,
  functionName,
  invoke,
}: QueueConsumerOptions): EventSource {
  const queueArn = `arn:aws:sqs:${RESOURCES.region}:${RESOURCES.accountId}:${queueUrl.slice(queueUrl.lastIndexOf('/') + 1)}`;
  return {
    name: `the queue ${queueUrl} for the function ${functionName}`,
    async poll() {
      const { Messages: messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: BATCH,
          MessageSystemAttributeNames: ['All'],
        }),
      );
      if (messages.length === 0) return false;
      await invoke({ Records: messages.map((message) => toRecord(queueArn, message)) });
      const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      // A message whose handle has expired meanwhile comes again: at least once.
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
      return true;
    },
  };
}

function toRecord(eventSourceARN: string, message: Message): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    md5OfBody: message.MD5OfBody ?? '',
    attributes: message.Attributes as unknown as SQSRecordAttributes,
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: RESOURCES.region,
  };
}
