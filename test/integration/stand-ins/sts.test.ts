import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts';
import { createSecretsManager } from '../../../local/secrets-manager/secrets-manager.ts';
import { putCustomerRole } from '../../../local/sts/customer-role.ts';
import { createSts } from '../../../local/sts/sts.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const region = 'us-east-1';
const vault = { accountId: '000000000000', roleName: 'functions' };
const roleArn = 'arn:aws:iam::111122223333:role/lockzero-sync-a';
const folder = mkdtempSync(join(tmpdir(), 'sts-'));
let now = Date.UTC(2026, 0, 1);
let server: Awaited<ReturnType<typeof serveStandIns>>;
let client: STSClient;

async function start(): Promise<void> {
  const options = { ...vault, region, now: () => now };
  server = await serveStandIns({
    '/sts': createSts({ ...options, file: join(folder, 'roles.json') }),
    '/secretsmanager': createSecretsManager({ ...options, file: join(folder, 'secrets.json') }),
  });
  client = new STSClient({ region, credentials, endpoint: `${server.url}/sts`, maxAttempts: 1 });
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

const statement = (members: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', ...members }],
});
const ANYTHING = statement({ Action: '*', Resource: '*' });
const trusting = (Condition: object, AWS: unknown = 'arn:aws:iam::000000000000:root') =>
  statement({ Principal: { AWS }, Action: 'sts:AssumeRole', Condition });
const makeRole = (trustPolicy: object, permissionsPolicy: object = ANYTHING) =>
  putCustomerRole(`${server.url}/sts`, {
    accountId: '111122223333',
    roleName: 'lockzero-sync-a',
    trustPolicy,
    permissionsPolicy,
  });
const assume = (input: Partial<AssumeRoleCommandInput> = {}) =>
  client.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'test', ...input }));

test('the credentials say which account and role they are of, and when they end', async () => {
  expect(await makeRole(trusting({}))).toBe(roleArn);
  const { Credentials: given, AssumedRoleUser: user } = await assume({ DurationSeconds: 900 });
  expect(given?.AccessKeyId).toBe('session-111122223333-lockzero-sync-a');
  expect(given?.Expiration).toEqual(new Date(now + 900_000));
  expect(user?.Arn).toBe('arn:aws:sts::111122223333:assumed-role/lockzero-sync-a/test');
});

test.each<[string, object, string | undefined, boolean]>([
  ['exactly this one', { StringEquals: { 'sts:ExternalId': 'a' } }, 'a', true],
  ['exactly this one', { StringEquals: { 'sts:ExternalId': 'a' } }, 'b', false],
  ['exactly this one', { StringEquals: { 'sts:ExternalId': 'a' } }, undefined, false],
  ['this one if any', { StringEqualsIfExists: { 'sts:ExternalId': 'a' } }, undefined, true],
  ['this one if any', { StringEqualsIfExists: { 'sts:ExternalId': 'a' } }, 'b', false],
  ['any', { StringLike: { 'sts:ExternalId': '*' } }, 'b', true],
  ['any', { Null: { 'sts:ExternalId': 'false' } }, undefined, false],
])('a role that demands the external id to be %s: %j, shown %s', async (_, condition, ExternalId, letsIn) => {
  await makeRole(trusting(condition));
  const assumed = assume(ExternalId === undefined ? {} : { ExternalId });
  if (letsIn) await expect(assumed).resolves.toBeDefined();
  else await expect(assumed).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('a role lets in whom it names, and nobody knows of one that is not there', async () => {
  const vaultsRole = 'arn:aws:iam::000000000000:user/local';
  const names = (arn: string) => trusting({ ArnEquals: { 'aws:PrincipalArn': [arn] } });
  await makeRole(trusting({}, 'arn:aws:iam::444455556666:root'));
  await expect(assume()).rejects.toMatchObject({ name: 'AccessDenied' });
  await makeRole(names(vaultsRole));
  await expect(assume()).rejects.toMatchObject({ name: 'AccessDenied' });
  await makeRole(names('arn:aws:iam::000000000000:role/functions'));
  await expect(assume()).resolves.toBeDefined();
  await expect(assume({ RoleArn: `${roleArn}2` })).rejects.toMatchObject({ name: 'AccessDenied' });
});

test.each<[string, Partial<AssumeRoleCommandInput>, string]>([
  ['a session of a minute', { DurationSeconds: 60 }, 'ValidationError'],
  ['a role with a path', { RoleArn: 'arn:aws:iam::111122223333:role/x/y' }, 'ValidationError'],
  ['a policy that is none', { Policy: '{}' }, 'MalformedPolicyDocumentException'],
  ['a policy that is too long', { Policy: JSON.stringify(ANYTHING).padEnd(2_049) }, 'ValidationError'],
])('%s is refused', async (_, input, name) => {
  await makeRole(trusting({}));
  await expect(assume(input)).rejects.toMatchObject({ name });
});

test('a session may do what both the role and its own policy allow, until it ends', async () => {
  const onSecrets = (resource: string) =>
    statement({
      Action: 'secretsmanager:Describe*',
      Resource: `arn:aws:secretsmanager:*:*:secret:${resource}`,
    });
  await makeRole(trusting({}), onSecrets('a/*'));
  const look = async (SecretId: string, policy: object): Promise<string> => {
    const { Credentials: given } = await assume({ Policy: JSON.stringify(policy), DurationSeconds: 900 });
    const session = new SecretsManagerClient({
      region,
      endpoint: `${server.url}/secretsmanager`,
      maxAttempts: 1,
      credentials: {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      },
    });
    try {
      if (SecretId === 'a/late') now += 900_000;
      await session.send(new DescribeSecretCommand({ SecretId }));
      return 'there';
    } catch (error) {
      return error instanceof Error ? error.name : '';
    } finally {
      session.destroy();
    }
  };
  expect(await look('a/b', ANYTHING)).toBe('ResourceNotFoundException');
  expect(await look('a/b', onSecrets('a/b-*'))).toBe('ResourceNotFoundException');
  expect(await look('a/c', onSecrets('a/b-*'))).toBe('AccessDeniedException');
  expect(await look('b/c', ANYTHING)).toBe('AccessDeniedException');
  expect(await look('a/late', ANYTHING)).toBe('ExpiredTokenException');
});

test('roles survive a restart', async () => {
  await makeRole(trusting({}));
  await stop();
  await start();
  await expect(assume()).resolves.toBeDefined();
});
