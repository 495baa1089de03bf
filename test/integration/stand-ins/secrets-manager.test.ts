import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createSecretsManager } from '../../../local/secrets-manager/secrets-manager.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const region = 'us-east-1';
let now = Date.UTC(2026, 0, 1);
const folder = mkdtempSync(join(tmpdir(), 'secrets-manager-'));
const file = join(folder, 'secrets.json');
let server: Awaited<ReturnType<typeof serveStandIns>>;
let client: SecretsManagerClient;

async function start(): Promise<void> {
  const standIn = createSecretsManager({ file, now: () => now, region, accountId: '000000000000' });
  server = await serveStandIns({ '/_aws/secretsmanager': standIn });
  const endpoint = `${server.url}/_aws/secretsmanager`;
  client = new SecretsManagerClient({ region, credentials, endpoint, maxAttempts: 1 });
}

async function stop(): Promise<void> {
  client.destroy();
  await server.close();
}

beforeAll(start);
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

const read = (SecretId: string, VersionStage?: string) =>
  client.send(new GetSecretValueCommand({ SecretId, ...(VersionStage && { VersionStage }) }));

test('a secret is read by name and by ARN', async () => {
  const Name = 'lockzero/root';
  const { ARN = '' } = await client.send(new CreateSecretCommand({ Name, SecretString: 'first' }));
  expect(ARN).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:lockzero\/root-[0-9a-f]{6}$/);
  expect(await read(Name)).toMatchObject({ SecretString: 'first', VersionStages: ['AWSCURRENT'], ARN });
  expect((await read(ARN)).SecretString).toBe('first');
});

test('a binary secret keeps its bytes', async () => {
  const SecretBinary = new Uint8Array([0, 255, 128]);
  await client.send(new CreateSecretCommand({ Name: 'binary', SecretBinary }));
  expect((await read('binary')).SecretBinary).toEqual(SecretBinary);
});

test('a new value takes AWSCURRENT and the one before it AWSPREVIOUS', async () => {
  const first = await client.send(new CreateSecretCommand({ Name: 'rotated', SecretString: 'one' }));
  await client.send(new PutSecretValueCommand({ SecretId: 'rotated', SecretString: 'two' }));
  const third = await client.send(new PutSecretValueCommand({ SecretId: 'rotated', SecretString: 'three' }));
  expect((await read('rotated')).SecretString).toBe('three');
  expect((await read('rotated', 'AWSPREVIOUS')).SecretString).toBe('two');
  const byId = new GetSecretValueCommand({ SecretId: 'rotated', VersionId: first.VersionId });
  expect((await client.send(byId)).SecretString).toBe('one');
  const described = await client.send(new DescribeSecretCommand({ SecretId: 'rotated' }));
  expect(Object.values(described.VersionIdsToStages ?? {}).sort()).toEqual([['AWSCURRENT'], ['AWSPREVIOUS']]);
  expect(described.VersionIdsToStages?.[third.VersionId ?? '']).toEqual(['AWSCURRENT']);
});

test('a pending value becomes visible by its label only', async () => {
  await client.send(new CreateSecretCommand({ Name: 'pending', SecretString: 'live' }));
  const put = { SecretId: 'pending', SecretString: 'next', VersionStages: ['AWSPENDING'] };
  await client.send(new PutSecretValueCommand(put));
  expect((await read('pending')).SecretString).toBe('live');
  expect((await read('pending', 'AWSPENDING')).SecretString).toBe('next');
});

test('what does not exist is ResourceNotFoundException', async () => {
  await expect(read('nowhere')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const put = new PutSecretValueCommand({ SecretId: 'nowhere', SecretString: 'x' });
  await expect(client.send(put)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await client.send(new CreateSecretCommand({ Name: 'empty' }));
  await expect(read('empty')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await client.send(new PutSecretValueCommand({ SecretId: 'empty', SecretString: 'now' }));
  await expect(read('empty', 'AWSPREVIOUS')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('a name is taken once, but a retry of the same creation is answered again', async () => {
  const ClientRequestToken = '0f5c8d56-3a7b-4a0c-9d5e-2f1f4f1a7c11';
  const creation = { Name: 'once', SecretString: 'x', ClientRequestToken };
  const first = await client.send(new CreateSecretCommand(creation));
  const again = await client.send(new CreateSecretCommand(creation));
  expect(again).toMatchObject({ ARN: first.ARN, VersionId: first.VersionId });
  const other = new CreateSecretCommand({ Name: 'once', SecretString: 'x' });
  await expect(client.send(other)).rejects.toMatchObject({ name: 'ResourceExistsException' });
});

test('a token repeated with another value is ResourceExistsException', async () => {
  const ClientRequestToken = '7ac2a9d2-55a1-4f0b-8d55-93a1a0a8b0f2';
  await client.send(new CreateSecretCommand({ Name: 'token', SecretString: 'x', ClientRequestToken }));
  const put = (SecretString: string) =>
    client.send(new PutSecretValueCommand({ SecretId: 'token', SecretString, ClientRequestToken }));
  expect((await put('x')).VersionId).toBe(ClientRequestToken);
  await expect(put('y')).rejects.toMatchObject({ name: 'ResourceExistsException' });
});

test('a deleted secret gives nothing away, can be restored for a time, and is gone after it', async () => {
  const SecretId = 'deleted';
  const creation = { Name: SecretId, SecretString: 'x' };
  await client.send(new CreateSecretCommand(creation));
  const deletion = new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 });
  const { DeletionDate } = await client.send(deletion);
  expect(DeletionDate).toEqual(new Date(now + 7 * 86_400_000));
  const refusal = { name: 'InvalidRequestException' };
  await expect(read(SecretId)).rejects.toMatchObject(refusal);
  await expect(client.send(deletion)).rejects.toMatchObject(refusal);
  await expect(client.send(new CreateSecretCommand(creation))).rejects.toMatchObject(refusal);
  const put = new PutSecretValueCommand({ SecretId, SecretString: 'y' });
  await expect(client.send(put)).rejects.toMatchObject(refusal);
  const described = () => client.send(new DescribeSecretCommand({ SecretId }));
  expect(await described()).toMatchObject({ DeletedDate: DeletionDate });
  await client.send(new RestoreSecretCommand({ SecretId }));
  expect((await read(SecretId)).SecretString).toBe('x');
  await client.send(deletion);
  now += 7 * 86_400_000;
  await expect(described()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await client.send(new CreateSecretCommand({ ...creation, SecretString: 'another' }));
  expect((await read(SecretId)).SecretString).toBe('another');
});

test('tags are given at the creation and added to later', async () => {
  const Tags = [{ Key: 'a', Value: '1' }];
  await client.send(new CreateSecretCommand({ Name: 'tagged', SecretString: 'x', Tags }));
  const more = [
    { Key: 'a', Value: '2' },
    { Key: 'b', Value: '3' },
  ];
  await client.send(new TagResourceCommand({ SecretId: 'tagged', Tags: more }));
  expect((await client.send(new DescribeSecretCommand({ SecretId: 'tagged' }))).Tags).toEqual(more);
});

test('a label moves only off the version that the caller knows it on', async () => {
  const SecretId = 'labelled';
  const first = await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'one' }));
  const put = { SecretId, SecretString: 'two', VersionStages: ['OURS'] };
  const second = await client.send(new PutSecretValueCommand(put));
  const move = (RemoveFromVersionId?: string) =>
    client.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: second.VersionId,
        RemoveFromVersionId,
      }),
    );
  await expect(move()).rejects.toMatchObject({ name: 'InvalidParameterException' });
  await expect(move(second.VersionId)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  expect((await read(SecretId)).SecretString).toBe('one');
  await move(first.VersionId);
  expect((await read(SecretId)).SecretString).toBe('two');
  expect((await read(SecretId, 'AWSPREVIOUS')).SecretString).toBe('one');
});

test('a label is taken off the version that has it, except AWSCURRENT, and without labels none is described', async () => {
  const SecretId = 'deprecated';
  const first = await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'one' }));
  const second = await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'two' }));
  const takeOff = (VersionStage: string, RemoveFromVersionId?: string) =>
    client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId }));
  const refusal = { name: 'InvalidParameterException' };
  await expect(takeOff('AWSCURRENT', second.VersionId)).rejects.toMatchObject(refusal);
  await expect(takeOff('AWSPREVIOUS', second.VersionId)).rejects.toMatchObject(refusal);
  await expect(takeOff('AWSPREVIOUS')).rejects.toMatchObject(refusal);
  await takeOff('AWSPREVIOUS', first.VersionId);
  await expect(takeOff('AWSPREVIOUS', first.VersionId)).rejects.toMatchObject(refusal);
  await expect(read(SecretId, 'AWSPREVIOUS')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }));
  expect(VersionIdsToStages).toEqual({ [second.VersionId ?? '']: ['AWSCURRENT'] });
  // AWS deletes it some day, and nobody knows when.
  const byId = new GetSecretValueCommand({ SecretId, VersionId: first.VersionId });
  expect((await client.send(byId)).SecretString).toBe('one');
});

test('each account and region has secrets of its own', async () => {
  const endpoint = `${server.url}/_aws/secretsmanager`;
  const customer = { accessKeyId: customerAccessKey('111122223333'), secretAccessKey: 'none' };
  const places = [
    new SecretsManagerClient({ region, credentials: customer, endpoint }),
    new SecretsManagerClient({ region: 'eu-central-1', credentials: customer, endpoint }),
  ];
  for (const [index, place] of [client, ...places].entries()) {
    await place.send(new CreateSecretCommand({ Name: 'shared', SecretString: `value ${index}` }));
  }
  const readIn = async (place: SecretsManagerClient) =>
    (await place.send(new GetSecretValueCommand({ SecretId: 'shared' }))).SecretString;
  expect(await Promise.all([client, ...places].map(readIn))).toEqual(['value 0', 'value 1', 'value 2']);
  expect((await places[1]?.send(new DescribeSecretCommand({ SecretId: 'shared' })))?.ARN).toContain(
    ':eu-central-1:111122223333:',
  );
  for (const place of places) place.destroy();
});

test.each([
  ['a name with a space', new CreateSecretCommand({ Name: 'a b', SecretString: 'x' }), 'ValidationException'],
  ['no value', new PutSecretValueCommand({ SecretId: 'lockzero/root' }), 'InvalidParameterException'],
  [
    'two values',
    new PutSecretValueCommand({
      SecretId: 'lockzero/root',
      SecretString: 'x',
      SecretBinary: new Uint8Array([1]),
    }),
    'InvalidParameterException',
  ],
])('%s is refused', async (_, command, name) => {
  await expect(client.send(command as CreateSecretCommand)).rejects.toMatchObject({ name });
});

test('secrets survive a restart, in a file for its owner only', async () => {
  await client.send(new CreateSecretCommand({ Name: 'kept', SecretString: 'value' }));
  await stop();
  await start();
  expect((await read('kept')).SecretString).toBe('value');
  const { SecretList } = await client.send(new ListSecretsCommand({}));
  expect(SecretList?.map(({ Name }) => Name)).toContain('kept');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
