import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  type SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { createSqsQueue } from '../../../aws/sqs-queue.ts';
import { createSqs } from '../../../local/sqs/sqs.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const region = 'us-east-1';
let baseUrl = '';
let server: Awaited<ReturnType<typeof serveStandIns>>;
let client: SQSClient;

beforeAll(async () => {
  const options = { now: Date.now, region, accountId: '000000000000', baseUrl: () => baseUrl };
  server = await serveStandIns({ '/_aws/sqs': createSqs(options) });
  baseUrl = `${server.url}/_aws/sqs`;
  client = new SQSClient({ region, credentials, endpoint: baseUrl, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

async function createQueue(name: string): Promise<string> {
  const command = new CreateQueueCommand({ QueueName: `${name}.fifo`, Attributes: { FifoQueue: 'true' } });
  return (await client.send(command)).QueueUrl ?? '';
}

async function receiveAll(QueueUrl: string) {
  const received = [];
  for (;;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return received;
    received.push(...Messages);
  }
}

const wake = (index: number, newest = '1') => ({ workspaceId: `ws_${index}`, newest });

test('sends a message for each workspace, as its message group, in batches that SQS takes', async () => {
  const url = await createQueue('many');
  await createSqsQueue(url, client).send(Array.from({ length: 23 }, (_, index) => wake(index)));
  const messages = await receiveAll(url);
  expect(messages).toHaveLength(23);
  for (const { Body, Attributes } of messages) {
    expect(JSON.parse(Body ?? '')).toEqual({ workspaceId: Attributes?.MessageGroupId });
  }
});

test('the same wake sent again is dropped, a newer one is not', async () => {
  const url = await createQueue('again');
  const queue = createSqsQueue(url, client);
  await queue.send([wake(1), wake(2)]);
  await queue.send([wake(1), wake(2, '2')]);
  const groups = (await receiveAll(url)).map(({ Attributes }) => Attributes?.MessageGroupId);
  expect(groups).toEqual(['ws_1', 'ws_2', 'ws_2']);
});

test('a message that the queue does not take fails the whole, the others have arrived', async () => {
  const url = await createQueue('partly');
  const refused = { workspaceId: 'not a group', newest: '1' };
  await expect(createSqsQueue(url, client).send([wake(1), refused])).rejects.toMatchObject({
    code: 'unavailable',
    message: 'The queue did not take 1 of 2 messages. Try again.',
  });
  expect(await receiveAll(url)).toHaveLength(1);
});

test('a queue that does not answer is unavailable', async () => {
  const cause = new Error('connect ECONNREFUSED');
  const down = { send: async () => Promise.reject(cause) } as Pick<SQSClient, 'send'>;
  await expect(createSqsQueue('http://nowhere/q.fifo', down).send([wake(1)])).rejects.toMatchObject({
    code: 'unavailable',
    cause,
  });
});

test('a wake that was sent but not answered may be sent again', async () => {
  const url = await createQueue('unanswered');
  let lost = 0;
  const losing = {
    send: async (command: SendMessageBatchCommand) => {
      const answer = await client.send(command);
      lost += 1;
      if (lost === 1) throw new Error('socket hang up');
      return answer;
    },
  } as unknown as Pick<SQSClient, 'send'>;
  const queue = createSqsQueue(url, losing);
  await expect(queue.send([wake(1)])).rejects.toMatchObject({ code: 'unavailable' });
  await queue.send([wake(1)]);
  expect(await receiveAll(url)).toHaveLength(1);
});
