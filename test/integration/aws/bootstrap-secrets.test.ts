import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type BootstrapSecrets, createBootstrapSecrets } from '../../../aws/bootstrap-secrets.ts';
import { createCursors } from '../../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../../core/crypto/derived-keys.ts';
import { createSecretsManager } from '../../../local/secrets-manager/secrets-manager.ts';
import { SeededRandom } from '../../support/random.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const FIVE_MINUTES = 5 * 60 * 1000;
const ONE = 'a'.repeat(43);
const TWO = 'b'.repeat(43);
const region = 'us-east-1';

const folder = mkdtempSync(join(tmpdir(), 'bootstrap-'));
const environment = { ...process.env };
let server: Awaited<ReturnType<typeof serveStandIns>>;
let client: SecretsManagerClient;
let requests = 0;
let now = 0;
let created = 0;

beforeAll(async () => {
  const file = join(folder, 'secrets.json');
  const standIn = createSecretsManager({ file, now: () => now, region, accountId: '000000000000' });
  server = await serveStandIns({
    '/_aws/secretsmanager': (request) => {
      requests += 1;
      return standIn(request);
    },
  });
  const endpoint = `${server.url}/_aws/secretsmanager`;
  client = new SecretsManagerClient({ region, credentials, endpoint });
  // The adapter takes no options: like every function, it is led by its environment.
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
  });
});
afterAll(async () => {
  process.env = environment;
  client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Bootstrap secrets with these texts, and a way to rotate them. */
async function bootstrap(
  root: string,
  token = 'token',
): Promise<{
  secrets: BootstrapSecrets;
  rotate: (name: 'root' | 'token', text: string) => Promise<unknown>;
}> {
  created += 1;
  const ids = { root: `root-${created}`, token: `token-${created}` };
  await client.send(new CreateSecretCommand({ Name: ids.root, SecretString: root }));
  await client.send(new CreateSecretCommand({ Name: ids.token, SecretString: token }));
  const names = { rootSecretId: ids.root, setupTokenSecretId: ids.token };
  requests = 0;
  return {
    secrets: createBootstrapSecrets(names, () => now),
    rotate: (name, text) =>
      client.send(new PutSecretValueCommand({ SecretId: ids[name], SecretString: text })),
  };
}

const text = (current: string, secrets: object): string => JSON.stringify({ current, ...secrets });

it('the root secret is read once, and again after five minutes', async () => {
  const { secrets } = await bootstrap(text('1', { 1: ONE }));
  for (const _ of [1, 2, 3]) await secrets.rootSecret();
  now += FIVE_MINUTES;
  expect(await secrets.rootSecret()).toEqual({ current: '1', secrets: new Map([['1', ONE]]) });
  expect(requests).toBe(1);
  now += 1;
  await secrets.rootSecret();
  expect(requests).toBe(2);
});

it('the root secret rotates: what the old key sealed still opens, and new things get the new key', async () => {
  const { secrets, rotate } = await bootstrap(text('1', { 1: ONE }));
  const cursors = createCursors(createDerivedKeys(secrets.rootSecret), new SeededRandom(1));
  const binding = { workspaceId: 'ws_1', principalId: 'key_1', route: 'GET /secrets', filters: {} };
  const old = await cursors.seal('place', binding);
  expect(old.startsWith('1.')).toBe(true);

  await rotate('root', text('2', { 1: ONE, 2: TWO }));
  now += FIVE_MINUTES + 1;
  expect(await cursors.open(old, binding)).toBe('place');
  expect((await cursors.seal('place', binding)).startsWith('2.')).toBe(true);

  await rotate('root', text('2', { 2: TWO }));
  now += FIVE_MINUTES + 1;
  await expect(cursors.open(old, binding)).rejects.toMatchObject({ code: 'invalid_cursor' });
});

it('the set-up token is read each time: one that was rotated away is dead at once', async () => {
  const { secrets, rotate } = await bootstrap(text('1', { 1: ONE }), 'first');
  expect(await secrets.setupToken()).toBe('first');
  await rotate('token', 'second');
  expect(await secrets.setupToken()).toBe('second');
});

it.each([
  ['no JSON', `{"current": "1", "1": "${ONE}`],
  ['no object', '"text"'],
  ['no current key', JSON.stringify({ 1: ONE })],
  ['a current key that is not there', text('2', { 1: ONE })],
  ['"current" itself as the current key', text('current', { 1: ONE })],
  ['a secret that is too short', text('1', { 1: 'a'.repeat(42) })],
  ['a key id with a dot', text('1.1', { '1.1': ONE })],
  ['a secret that is no text', text('1', { 1: 7 })],
])('a root secret with %s stops the vault, and is not told', async (_, root) => {
  const { secrets } = await bootstrap(root);
  const error = await secrets.rootSecret().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toContain('is not of its form');
  expect(String(error)).not.toContain('aaa');
});

it('a secret that is not there or holds no text is unavailable', async () => {
  const names = { rootSecretId: 'nowhere', setupTokenSecretId: 'binary' };
  await client.send(new CreateSecretCommand({ Name: 'binary', SecretBinary: new Uint8Array(3) }));
  const secrets = createBootstrapSecrets(names, () => now);
  await expect(secrets.rootSecret()).rejects.toMatchObject({ code: 'unavailable', retryAfter: 2 });
  await expect(secrets.setupToken()).rejects.toMatchObject({ code: 'unavailable' });
});

it('a root secret that cannot be read again is not used for ever', async () => {
  const { secrets, rotate } = await bootstrap(text('1', { 1: ONE }));
  await secrets.rootSecret();
  await rotate('root', 'spoiled');
  now += FIVE_MINUTES + 1;
  await expect(secrets.rootSecret()).rejects.toThrow('is not of its form');
});
