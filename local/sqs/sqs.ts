import { createHash } from 'node:crypto';
import {
  type JsonInput,
  optionalInteger,
  optionalString,
  requireString,
  serveJsonProtocol,
} from '../json-protocol.ts';
import { AwsError, type StandIn, toAwsError } from '../stand-in.ts';
import type { FifoQueue, ReceivedMessage } from './fifo-queue.ts';
import { openQueues, type Queues } from './queues.ts';

export interface SqsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly region: string;
  readonly accountId: string;
  /** Where the stand-in is served, without a slash at the end: what the URLs of queues begin with. */
  readonly baseUrl: () => string;
}

/** A body of one message, and those of a batch together: 1 MiB (SQS quotas). */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_BATCH = 10;
const MAX_HIDDEN_SECONDS = 12 * 60 * 60;

/**
 * A stand-in for Amazon SQS with FIFO queues, which live in memory: what they hold is gone when the process ends. It
 * answers an empty receive at once; what it does not implement it refuses.
 */
export function createSqs(options: SqsOptions): StandIn {
  const queues = openQueues(options);
  const queueOf = (input: JsonInput): FifoQueue => queues.byUrl(requireString(input, 'QueueUrl'));
  return serveJsonProtocol(
    'AmazonSQS',
    {
      CreateQueue: (input) => ({
        QueueUrl: queues.create(requireString(input, 'QueueName'), input['Attributes'] ?? {}),
      }),
      GetQueueUrl: (input) => ({ QueueUrl: queues.urlOf(requireString(input, 'QueueName')) }),
      ListQueues: () => ({ QueueUrls: queues.urls() }),
      GetQueueAttributes: (input) => ({ Attributes: attributesOf(queues, requireString(input, 'QueueUrl')) }),
      SendMessage: (input) => send(queueOf(input), input),
      SendMessageBatch: (input) => inBatch(input, (entry) => send(queueOf(input), entry)),
      ReceiveMessage: (input) => receive(queueOf(input), input),
      DeleteMessage: (input) => remove(queueOf(input), input),
      DeleteMessageBatch: (input) => inBatch(input, (entry) => remove(queueOf(input), entry)),
      ChangeMessageVisibility: (input) => hide(queueOf(input), input),
    },
    '1.0',
  );
}

function send(queue: FifoQueue, input: JsonInput): JsonInput {
  if (input['MessageAttributes'] !== undefined || input['DelaySeconds'] !== undefined) {
    throw unsupported('attributes and delays of messages');
  }
  const body = requireString(input, 'MessageBody');
  const size = Buffer.byteLength(body);
  if (size === 0 || size > MAX_BODY_BYTES) {
    throw new AwsError('InvalidParameterValue', `A message has from 1 to ${MAX_BODY_BYTES} bytes.`);
  }
  const { messageId, sequenceNumber } = queue.send({
    body,
    groupId: requireName(input, 'MessageGroupId'),
    deduplicationId: requireName(input, 'MessageDeduplicationId'),
  });
  return { MessageId: messageId, MD5OfMessageBody: md5(body), SequenceNumber: sequenceNumber };
}

function receive(queue: FifoQueue, input: JsonInput): JsonInput {
  if (optionalInteger(input, 'WaitTimeSeconds', 0, 20)) throw unsupported('long polling');
  const max = optionalInteger(input, 'MaxNumberOfMessages', 1, MAX_BATCH) ?? 1;
  const hidden = optionalInteger(input, 'VisibilityTimeout', 0, MAX_HIDDEN_SECONDS);
  const messages = queue.receive(max, hidden === undefined ? undefined : hidden * 1000);
  return messages.length === 0 ? {} : { Messages: messages.map(toMessage) };
}

/** With all its attributes, whichever were asked for. */
function toMessage(message: ReceivedMessage): JsonInput {
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    Attributes: {
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
      ApproximateReceiveCount: String(message.receiveCount),
      MessageDeduplicationId: message.deduplicationId,
      MessageGroupId: message.groupId,
      SenderId: 'local',
      SentTimestamp: String(message.sentAt),
      SequenceNumber: message.sequenceNumber,
    },
  };
}

function remove(queue: FifoQueue, input: JsonInput): JsonInput {
  queue.remove(requireString(input, 'ReceiptHandle'));
  return {};
}

function hide(queue: FifoQueue, input: JsonInput): JsonInput {
  const seconds = optionalInteger(input, 'VisibilityTimeout', 0, MAX_HIDDEN_SECONDS);
  if (seconds === undefined) throw new AwsError('MissingParameter', 'VisibilityTimeout is required.');
  queue.hide(requireString(input, 'ReceiptHandle'), seconds * 1000);
  return {};
}

/** Each entry of a batch succeeds or fails by itself. */
function inBatch(input: JsonInput, run: (entry: JsonInput) => JsonInput): JsonInput {
  const entries = readEntries(input);
  const Successful: JsonInput[] = [];
  const Failed: JsonInput[] = [];
  for (const entry of entries) {
    const Id = requireString(entry, 'Id');
    try {
      Successful.push({ Id, ...run(entry) });
    } catch (cause) {
      const { code, message, status } = toAwsError(cause);
      Failed.push({ Id, Code: code, Message: message, SenderFault: status < 500 });
    }
  }
  return { Successful, Failed };
}

function readEntries(input: JsonInput): JsonInput[] {
  const entries = input['Entries'];
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new AwsError('EmptyBatchRequest', 'A batch has at least one entry.');
  }
  if (entries.length > MAX_BATCH) {
    throw new AwsError('TooManyEntriesInBatchRequest', `A batch has at most ${MAX_BATCH} entries.`);
  }
  const read = entries as JsonInput[];
  if (new Set(read.map((entry) => entry['Id'])).size < read.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'The ids of the entries of a batch differ.');
  }
  const size = read.reduce((sum, entry) => sum + Buffer.byteLength(String(entry['MessageBody'] ?? '')), 0);
  if (size > MAX_BODY_BYTES) {
    throw new AwsError('BatchRequestTooLong', `A batch has at most ${MAX_BODY_BYTES} bytes.`);
  }
  return read;
}

function attributesOf(queues: Queues, url: string): JsonInput {
  const { visible, hidden } = queues.byUrl(url).count();
  return {
    QueueArn: queues.arnOf(url),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(hidden),
  };
}

/** The characters of message groups and deduplication ids: letters, digits and ASCII punctuation, at most 128. */
function requireName(input: JsonInput, name: string): string {
  const value = optionalString(input, name);
  if (value === undefined) throw new AwsError('MissingParameter', `A FIFO queue needs ${name}.`);
  if (/^[!-~]{1,128}$/.test(value)) return value;
  throw new AwsError('InvalidParameterValue', `${name} has 1 to 128 letters, digits and punctuation.`);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function unsupported(what: string): AwsError {
  return new AwsError('UnsupportedOperation', `This stand-in does not implement ${what}.`);
}
