import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { createSes } from '../../../local/ses/ses.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const parent = mkdtempSync(join(tmpdir(), 'ses-'));
const folder = join(parent, 'outbox');
let now = 0;
let server: Awaited<ReturnType<typeof serveStandIns>>;
let client: SESv2Client;

beforeAll(async () => {
  server = await serveStandIns({ '/_aws/ses': createSes({ folder, now: () => now }) });
  const endpoint = `${server.url}/_aws/ses`;
  client = new SESv2Client({ region: 'us-east-1', credentials, endpoint, maxAttempts: 1 });
});
afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(parent, { recursive: true });
});
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  now = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
});

interface Fields {
  readonly from?: string;
  readonly to?: string[];
  readonly subject?: string;
  readonly text?: string;
}

function send({
  from = 'vault@example.com',
  to = ['ada@example.com'],
  subject = 'Hello',
  text = 'Hi',
}: Fields) {
  return client.send(
    new SendEmailCommand({
      FromEmailAddress: from,
      Destination: { ToAddresses: to },
      Content: { Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } } },
    }),
  );
}

test('a message becomes a file that people can read, for its owner only', async () => {
  const { MessageId } = await send({ subject: 'Grüße', text: 'First line\n\nhttps://example.com/ä\n' });
  expect(readdirSync(folder)).toEqual([`2026-01-02T030405.006Z-${MessageId}.eml`]);
  const file = join(folder, `2026-01-02T030405.006Z-${MessageId}.eml`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, 'utf8')).toBe(
    [
      'From: vault@example.com',
      'To: ada@example.com',
      'Subject: Grüße',
      'Date: Fri, 02 Jan 2026 03:04:05 +0000',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'First line',
      '',
      'https://example.com/ä',
      '',
    ].join('\n'),
  );
});

test('file names sort by time, and messages of one moment do not replace each other', async () => {
  await send({ text: 'first' });
  now += 1;
  await send({ text: 'second' });
  await send({ text: 'second' });
  const texts = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').split('\n').at(-1));
  expect(texts).toEqual(['first', 'second', 'second']);
});

test.each<[string, Fields]>([
  ['a line break in the sender', { from: 'vault@example.com\nBcc: eve@example.com' }],
  ['a line break in the address', { to: ['ada@example.com\r\nBcc: eve@example.com'] }],
  ['a line break in the subject', { subject: 'Hello\nBcc: eve@example.com' }],
  ['two addresses', { to: ['ada@example.com', 'eve@example.com'] }],
  ['no address', { to: [] }],
  ['no text', { text: '' }],
])('%s is BadRequestException, and nothing is written', async (_, fields) => {
  await expect(send(fields)).rejects.toMatchObject({ name: 'BadRequestException' });
  expect(readdirSync(folder)).toEqual([]);
});

test('a body that is no JSON, and an unknown operation, get an answer in the protocol', async () => {
  const post = (path: string) => fetch(`${server.url}/_aws/ses${path}`, { method: 'POST', body: '{' });
  const broken = await post('/v2/email/outbound-emails');
  expect([broken.status, broken.headers.get('x-amzn-errortype')]).toEqual([400, 'BadRequestException']);
  const unknown = await post('/v2/email/identities');
  expect([unknown.status, unknown.headers.get('x-amzn-errortype')]).toEqual([404, 'NotFoundException']);
});
