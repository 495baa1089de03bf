import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
} from '@aws-sdk/client-kms';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import { runCustomerKey } from '../../../local/customer-key-command.ts';
import { type DevConfig, writeDevConfig } from '../../../local/dev-config.ts';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { finish, runProgram } from '../../support/dev-vault.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const role = `arn:aws:iam::${accountId}:role/lockzero-local-api`;
const keyPolicy = keyPolicyStatements('ws_1', `arn:aws:kms:${region}:${accountId}:key/1`, {
  api: role,
  rewrapper: role,
  syncer: role,
});
const ANSWER = JSON.stringify({ mode: 'vault', keyPolicy });

const folder = mkdtempSync(join(tmpdir(), 'customer-key-'));
let server: Awaited<ReturnType<typeof serveStandIns>>;
let config: DevConfig;
let vault: KMSClient;
let customer: KMSClient;
beforeAll(async () => {
  const kms = createKms({ file: join(folder, 'keys.json'), now: () => 0, region, accountId });
  server = await serveStandIns({ '/_aws/kms': kms });
  const endpoint = `${server.url}/_aws/kms`;
  config = {
    url: 'http://127.0.0.1:4280',
    apiKey: 'lz_key',
    aws: { region, kmsEndpoint: endpoint },
  } as DevConfig;
  vault = new KMSClient({ region, endpoint, credentials, maxAttempts: 1 });
  const accessKeyId = customerAccessKey('111122223333');
  customer = new KMSClient({
    region,
    endpoint,
    credentials: { ...credentials, accessKeyId },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  vault.destroy();
  customer.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

function run(line: string, text = ANSWER): Promise<string> {
  return runCustomerKey(line.split(' '), config, async (file) => (file === '-' ? text : ''));
}

const arnIn = (output: string): string => output.split('\n')[0] ?? '';

function use(KeyId: string): Promise<unknown> {
  const EncryptionContext = { workspaceId: 'ws_1', secretId: 'sec_1', version: '1' };
  return vault.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }));
}

it('makes a key that the vault can use, and says what comes next', async () => {
  const output = await run('create -');
  const keyArn = arnIn(output);
  expect(keyArn).toMatch(/^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/);
  expect(output.split('\n').slice(1)).toEqual([
    '',
    'Have it wrap the values of the workspace "Demo":',
    `npm run customer-key -- bring ${keyArn}`,
  ]);
  await use(keyArn);
  const { Policy = '' } = await customer.send(new GetKeyPolicyCommand({ KeyId: keyArn }));
  expect(JSON.parse(Policy).Statement.slice(1)).toEqual(keyPolicy);
});

it('makes one that lets nobody in, and changes its policy afterwards', async () => {
  const output = await run('create');
  const keyArn = arnIn(output);
  expect(output).toContain(`| npm run customer-key -- policy ${keyArn} -`);
  await expect(use(keyArn)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  expect(await run(`policy ${keyArn} -`, JSON.stringify(keyPolicy))).toBe(
    `The policy of ${keyArn} has 4 statements for others.`,
  );
  await use(keyArn);
  await run(`policy ${keyArn}`);
  await expect(use(keyArn)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

it('makes multi-Region keys, and keys of other accounts', async () => {
  const keyArn = arnIn(await run('create - --multi-region --account 444455556666'));
  expect(keyArn).toMatch(/^arn:aws:kms:us-east-1:444455556666:key\/mrk-/);
  await use(keyArn);
  expect(await run(`disable ${keyArn}`)).toBe(`${keyArn} is disabled.`);
});

it('disables, enables, deletes and restores', async () => {
  const keyArn = arnIn(await run('create -'));
  const state = async () => {
    const { KeyMetadata } = await vault.send(new DescribeKeyCommand({ KeyId: keyArn }));
    return KeyMetadata?.KeyState;
  };
  await run(`disable ${keyArn}`);
  expect(await state()).toBe('Disabled');
  await run(`enable ${keyArn}`);
  expect(await state()).toBe('Enabled');
  expect(await run(`delete ${keyArn}`)).toContain('gone on 1970-01-08T00:00:00.000Z');
  expect(await state()).toBe('PendingDeletion');
  expect(await run(`restore-deletion ${keyArn}`)).toBe(`${keyArn} stays, and is disabled.`);
  expect(await state()).toBe('Disabled');
});

it.each([
  'destroy arn:aws:kms:us-east-1:111122223333:key/1',
  'disable',
  'bring',
  'disable 11111111-1111-4111-8111-111111111111',
  'disable arn:aws:kms:us-east-1:111122223333:key/1 -',
  'policy arn:aws:kms:us-east-1:111122223333:key/1 - -',
  'create - -',
  'create --account 1',
  'create --force',
])('"%s" is answered with what there is', async (line) => {
  await expect(run(line)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining('restore-deletion'),
  });
});

it.each(['', '{}', '{"keyPolicy":{}}', 'null', '{'])('"%s" holds no statements', async (text) => {
  await expect(run('create -', text)).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining('"keyPolicy"'),
  });
});

it('says what it has without being asked for anything', async () => {
  expect(await runCustomerKey([], config, async () => '')).toContain('create');
});

describe('as a program', () => {
  const start = (dataDir: string, args: readonly string[]) =>
    finish(runProgram('local/customer-key.ts', { LOCKZERO_DATA_DIR: dataDir, AWS_PROFILE: 'real' }, args));

  it('works beside the vault that dev.json tells of', async () => {
    writeDevConfig(folder, config);
    const { stdout, stderr, exitCode } = await start(folder, ['create']);
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(arnIn(stdout)).toContain(':111122223333:key/');
  });

  it('says in one sentence what is missing', async () => {
    const nowhere = await start(join(folder, 'nowhere'), ['create']);
    expect([nowhere.stdout, nowhere.exitCode]).toEqual(['', 1]);
    expect(nowhere.stderr).toMatch(/^No vault runs on .*nowhere: start one with "npm run dev".*\n$/);
    const keyArn = `arn:aws:kms:${region}:111122223333:key/1`;
    const { stderr } = await start(folder, ['enable', keyArn]);
    expect(stderr).toBe(`The key service answered NotFoundException: Key '${keyArn}' does not exist.\n`);
    const silent = mkdtempSync(join(folder, 'silent-'));
    writeDevConfig(silent, { ...config, aws: { ...config.aws, kmsEndpoint: 'http://127.0.0.1:1' } });
    const unanswered = await start(silent, ['create']);
    expect(unanswered.stderr).toMatch(/^The vault does not answer: start it with "npm run dev".*\n$/);
  });
});
