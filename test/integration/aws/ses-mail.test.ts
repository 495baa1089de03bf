import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { createSesMail } from '../../../aws/ses-mail.ts';
import { createSes } from '../../../local/ses/ses.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const FROM = 'vault@example.com';
const mail = { to: 'ada@example.com', subject: 'Grüße', text: 'Hello Ada,\nhttps://example.com/x\n' };
const region = 'us-east-1';

const folder = mkdtempSync(join(tmpdir(), 'ses-mail-'));
const environment = { ...process.env };
let server: Awaited<ReturnType<typeof serveStandIns>>;

beforeAll(async () => {
  server = await serveStandIns({ '/_aws/ses': createSes({ folder, now: () => 0 }) });
  // Without a client of its own the adapter is led by its environment, like every function.
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_SESV2: `${server.url}/_aws/ses`,
  });
});
afterAll(async () => {
  process.env = environment;
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

const sent = (): string[] => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));

it('sends text in UTF-8 to one person', async () => {
  await createSesMail(FROM).send(mail);
  const [message = ''] = sent();
  expect(message).toContain(`From: ${FROM}\nTo: ada@example.com\nSubject: Grüße\n`);
  expect(message.split('\n\n', 2)[1]).toBe('Hello Ada,\nhttps://example.com/x\n');
});

it('without a sender says what the operator has to set', async () => {
  await expect(createSesMail(undefined).send(mail)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('"mail" in lib/stages.ts'),
  });
});

it.each([
  ['its address', FROM, { ...mail, to: 'ada@example.com\r\nBcc: eve@example.com' }],
  ['its subject', FROM, { ...mail, subject: 'Hello\nBcc: eve@example.com' }],
  ['its sender', `${FROM}\nBcc: eve@example.com`, mail],
])('a message with a line break in %s is not sent, and not quoted', async (_, from, injected) => {
  const error = await createSesMail(from)
    .send(injected)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'internal' });
  expect(String(error)).not.toContain('eve');
  expect(sent()).toEqual([]);
});

it('a message that the service refuses is unavailable, with the cause and without the address', async () => {
  const error = await createSesMail(FROM)
    .send({ ...mail, text: '' })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'unavailable', cause: { name: 'BadRequestException' } });
  expect(String(error)).not.toContain('ada');
});

it('a service that cannot be reached is unavailable', async () => {
  const nowhere = new SESv2Client({ region, credentials, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
  await expect(createSesMail(FROM, nowhere).send(mail)).rejects.toMatchObject({ code: 'unavailable' });
  nowhere.destroy();
});
