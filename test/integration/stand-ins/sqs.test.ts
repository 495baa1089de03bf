import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { createSqs } from '../../../local/sqs/sqs.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const MINUTE_MS = 60_000;
const region = 'eu-central-1';

let now = Date.UTC(2026, 0, 1);
let baseUrl = '';
let running: Awaited<ReturnType<typeof serveStandIns>>;
let client: SQSClient;
let count = 0;

beforeAll(async () => {
  const standIn = createSqs({ now: () => now, region, accountId: '000000000000', baseUrl: () => baseUrl });
  running = await serveStandIns({ '/_aws/sqs': standIn });
  baseUrl = `${running.url}/_aws/sqs`;
  client = new SQSClient({ region, credentials, endpoint: baseUrl, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await running.close();
});

async function createQueue(attributes: Record<string, string> = {}): Promise<string> {
  count += 1;
  const command = new CreateQueueCommand({
    QueueName: `queue-${count}.fifo`,
    Attributes: { FifoQueue: 'true', ...attributes },
  });
  return (await client.send(command)).QueueUrl ?? '';
}

/** The body is its own deduplication id, unless another is given. */
function send(QueueUrl: string, MessageGroupId: string, MessageBody: string, id = MessageBody) {
  return client.send(
    new SendMessageCommand({ QueueUrl, MessageGroupId, MessageBody, MessageDeduplicationId: id }),
  );
}

async function receive(QueueUrl: string, other: Partial<ReceiveMessageCommandInput> = {}) {
  const input = { QueueUrl, MaxNumberOfMessages: 10, ...other };
  return (await client.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

async function bodies(queueUrl: string): Promise<(string | undefined)[]> {
  return (await receive(queueUrl)).map(({ Body }) => Body);
}

test('a queue is found by its name, and made twice is made once', async () => {
  const url = await createQueue();
  const QueueName = url.slice(url.lastIndexOf('/') + 1);
  expect(url).toBe(`${baseUrl}/000000000000/${QueueName}`);
  expect((await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl).toBe(url);
  const again = new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true' } });
  expect((await client.send(again)).QueueUrl).toBe(url);
  const other = { FifoQueue: 'true', VisibilityTimeout: '7' };
  await expect(client.send(new CreateQueueCommand({ QueueName, Attributes: other }))).rejects.toMatchObject({
    name: 'QueueNameExists',
  });
});

test('a message comes with what Lambda tells of it', async () => {
  const url = await createQueue();
  const sent = await send(url, 'ws_1', '{"workspaceId":"ws_1"}', 'once');
  const [message, ...others] = await receive(url, { MessageSystemAttributeNames: ['All'] });
  expect(others).toEqual([]);
  expect(message).toMatchObject({
    MessageId: sent.MessageId,
    Body: '{"workspaceId":"ws_1"}',
    MD5OfBody: sent.MD5OfMessageBody,
    Attributes: {
      ApproximateReceiveCount: '1',
      MessageGroupId: 'ws_1',
      MessageDeduplicationId: 'once',
      SequenceNumber: sent.SequenceNumber,
      SentTimestamp: String(now),
    },
  });
});

test('a group has its order, and is blocked while a message of it is under way; others are not', async () => {
  const url = await createQueue();
  for (const body of ['a1', 'b1', 'a2']) await send(url, body.charAt(0), body);
  const [first] = await receive(url, { MaxNumberOfMessages: 1 });
  expect(first?.Body).toBe('a1');
  expect(await bodies(url)).toEqual(['b1']);
  expect(await bodies(url)).toEqual([]);
  await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
  expect(await bodies(url)).toEqual(['a2']);
});

test('one batch may hold several messages of a group, in order', async () => {
  const url = await createQueue();
  for (const body of ['a1', 'b1', 'a2', 'b2']) await send(url, body.charAt(0), body);
  const received = await bodies(url);
  expect(received.filter((body) => body?.startsWith('a'))).toEqual(['a1', 'a2']);
  expect(received.filter((body) => body?.startsWith('b'))).toEqual(['b1', 'b2']);
});

test('a deduplication id counts for five minutes, whether the message is still there or not', async () => {
  const url = await createQueue();
  const first = await send(url, 'g', 'one', 'id');
  expect((await send(url, 'g', 'again', 'id')).MessageId).toBe(first.MessageId);
  const [message] = await receive(url);
  await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
  now += 5 * MINUTE_MS - 1;
  await send(url, 'g', 'again', 'id');
  expect(await bodies(url)).toEqual([]);
  now += 1;
  expect((await send(url, 'g', 'later', 'id')).MessageId).not.toBe(first.MessageId);
  expect(await bodies(url)).toEqual(['later']);
});

test('a message that was not deleted comes again when its time is over, and the old handle is of no use', async () => {
  const url = await createQueue({ VisibilityTimeout: '60' });
  await send(url, 'g', 'body');
  const [first] = await receive(url);
  now += MINUTE_MS - 1;
  expect(await receive(url)).toEqual([]);
  now += 1;
  const [second] = await receive(url, { MessageSystemAttributeNames: ['All'] });
  expect(second?.Attributes?.ApproximateReceiveCount).toBe('2');
  const stale = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle });
  await expect(client.send(stale)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  const command = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: second?.ReceiptHandle });
  await client.send(command);
  await client.send(command);
  now += MINUTE_MS;
  expect(await receive(url)).toEqual([]);
});

test('its receiver may hide a message longer, or give it back', async () => {
  const url = await createQueue({ VisibilityTimeout: '60' });
  await send(url, 'g', 'body');
  const hide = async (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
  const [first] = await receive(url);
  await hide(first?.ReceiptHandle, 120);
  now += MINUTE_MS;
  expect(await receive(url)).toEqual([]);
  await hide(first?.ReceiptHandle, 0);
  expect(await bodies(url)).toEqual(['body']);
});

test('a message that was received too often goes to the dead letters, and its group goes on', async () => {
  const deadLetters = await createQueue();
  const attributes = async (QueueUrl: string) =>
    (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes;
  const deadLetterTargetArn = (await attributes(deadLetters))?.QueueArn;
  const url = await createQueue({
    VisibilityTimeout: '0',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }),
  });
  await send(url, 'g', 'poison');
  await send(url, 'g', 'good');
  for (let times = 0; times < 2; times += 1) {
    expect((await receive(url, { MaxNumberOfMessages: 1 })).map(({ Body }) => Body)).toEqual(['poison']);
  }
  expect(await bodies(url)).toEqual(['good']);
  expect(await attributes(deadLetters)).toMatchObject({ ApproximateNumberOfMessages: '1' });
  expect(await bodies(deadLetters)).toEqual(['poison']);
});

test('each entry of a batch succeeds or fails by itself', async () => {
  const url = await createQueue();
  const entry = (Id: string, MessageGroupId: string | undefined) => ({
    Id,
    MessageBody: Id,
    MessageDeduplicationId: Id,
    ...(MessageGroupId === undefined ? {} : { MessageGroupId }),
  });
  const reply = await client.send(
    new SendMessageBatchCommand({
      QueueUrl: url,
      Entries: [entry('1', 'g'), entry('2', undefined), entry('3', 'no spaces please')],
    }),
  );
  expect(reply.Successful?.map(({ Id }) => Id)).toEqual(['1']);
  expect(reply.Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).toEqual([
    ['2', 'MissingParameter', true],
    ['3', 'InvalidParameterValue', true],
  ]);
  const [message] = await receive(url);
  const deleted = await client.send(
    new DeleteMessageBatchCommand({
      QueueUrl: url,
      Entries: [
        { Id: 'a', ReceiptHandle: message?.ReceiptHandle },
        { Id: 'b', ReceiptHandle: 'nonsense' },
      ],
    }),
  );
  expect(deleted.Successful).toEqual([{ Id: 'a' }]);
  expect(deleted.Failed).toMatchObject([{ Id: 'b', Code: 'ReceiptHandleIsInvalid' }]);
});

test('what it does not do, and what makes no sense, is refused', async () => {
  const QueueUrl = await createQueue();
  const entries = Array.from({ length: 11 }, (_, index) => ({ Id: String(index), MessageBody: 'x' }));
  const twice = { Id: '1', MessageBody: 'x' };
  const cases: [Promise<unknown>, string][] = [
    [client.send(new GetQueueUrlCommand({ QueueName: 'nobody.fifo' })), 'QueueDoesNotExist'],
    [client.send(new CreateQueueCommand({ QueueName: 'standard' })), 'InvalidParameterValue'],
    [
      client.send(
        new CreateQueueCommand({ QueueName: 'x.fifo', Attributes: { FifoQueue: 'true', DelaySeconds: '1' } }),
      ),
      'InvalidAttributeName',
    ],
    [receive(QueueUrl, { WaitTimeSeconds: 1 }), 'UnsupportedOperation'],
    [
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries })),
      'TooManyEntriesInBatchRequest',
    ],
    [client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [] })), 'EmptyBatchRequest'],
    [
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [twice, twice] })),
      'BatchEntryIdsNotDistinct',
    ],
  ];
  for (const [request, name] of cases) await expect(request).rejects.toMatchObject({ name });
});
