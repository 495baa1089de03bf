import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsTopics } from '../../../aws/sns-topics.ts';
import { credentials } from '../stand-ins/serve-stand-ins.ts';

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:alerts';
const FIFO = `${TOPIC}.fifo`;
const message = {
  topicArn: TOPIC,
  id: 'ws_1/0-5',
  group: 'ws_1',
  subject: '[critical] honeypot_used: api_key key_1',
  event: '{"specversion":"1.0"}',
  text: 'Grüße an alle,\nauch nachts.\n',
  attributes: { tier: 'critical', kind: 'honeypot_used' },
};

const published: URLSearchParams[] = [];
let answer = { status: 200, body: '' };
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  published.push(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
  response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
});
let client: SNSClient;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new SNSClient({ region: 'us-east-1', credentials, endpoint, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  server.close();
  await once(server, 'close');
});
beforeEach(() => {
  published.length = 0;
  const result = '<PublishResult><MessageId>1</MessageId></PublishResult>';
  answer = { status: 200, body: `<PublishResponse>${result}</PublishResponse>` };
});

const topics = () => createSnsTopics([TOPIC, FIFO], client);

it('gives programs the event, readers of mail the text, and filters their attributes', async () => {
  await topics().publish(message);
  const [sent] = published;
  expect(Object.fromEntries(sent ?? [])).toMatchObject({
    Action: 'Publish',
    TopicArn: TOPIC,
    Subject: message.subject,
    MessageStructure: 'json',
    'MessageAttributes.entry.1.Name': 'tier',
    'MessageAttributes.entry.1.Value.DataType': 'String',
    'MessageAttributes.entry.1.Value.StringValue': 'critical',
    'MessageAttributes.entry.2.Name': 'kind',
    'MessageAttributes.entry.2.Value.StringValue': 'honeypot_used',
  });
  expect(JSON.parse(sent?.get('Message') ?? '')).toEqual({ default: message.event, email: message.text });
});

it('tells a FIFO topic, and no other, what to keep in order and what to recognize', async () => {
  await topics().publish({ ...message, topicArn: FIFO });
  await topics().publish(message);
  const told = published.map((sent) => [sent.get('MessageGroupId'), sent.get('MessageDeduplicationId')]);
  expect(told).toEqual([
    ['ws_1', 'ws_1/0-5'],
    [null, null],
  ]);
});

it('writes a subject in ASCII, of fewer than 100 characters', async () => {
  await topics().publish({ ...message, subject: `[info] Grüße\n${'🔑x'.repeat(99)}` });
  const subject = published[0]?.get('Subject') ?? '';
  expect(subject).toMatch(/^\[info\] Gr\?\?e\?\?x[\x20-\x7e]*$/);
  expect(subject).toHaveLength(99);
});

it('publishes to no topic but those of the deployment', async () => {
  const publish = topics().publish({ ...message, topicArn: `${TOPIC}2` });
  await expect(publish).rejects.toMatchObject({ code: 'unavailable' });
  expect(published).toEqual([]);
});

it('is unavailable when the topic does not take the message, with the cause', async () => {
  const error = '<Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error>';
  answer = { status: 403, body: `<ErrorResponse>${error}</ErrorResponse>` };
  await expect(topics().publish(message)).rejects.toMatchObject({
    code: 'unavailable',
    cause: { name: 'AuthorizationErrorException' },
  });
});
