import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { startDynamoDbLocal } from '../../../local/dynamodb-local.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { credentials } from './serve-stand-ins.ts';

const LIMIT_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'dynamodb-'));
const launcher = resolve('local/dynamodb-local.ts');

afterAll(() => rmSync(folder, { recursive: true }));

function client(endpoint: string, region = 'us-east-1'): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 1 });
}

function createTable(TableName: string): CreateTableCommand {
  return new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
}

function nodeArguments(program: string): string[] {
  const source = `import { startDynamoDbLocal } from ${JSON.stringify(launcher)};\n${program}`;
  return ['--import', 'tsx', '--input-type=module', '--eval', source];
}

/** Starts it in a process of its own, whose PATH holds nothing but this `java`, and returns its refusal. */
function startWith(java: string | undefined): string {
  const path = mkdtempSync(join(folder, 'path-'));
  if (java !== undefined) {
    writeFileSync(join(path, 'java'), `#!/bin/sh\n${java}\n`);
    chmodSync(join(path, 'java'), 0o755);
  }
  const program = `await startDynamoDbLocal().catch((error) => console.log(error.name + ': ' + error.message));`;
  return spawnSync(process.execPath, nodeArguments(program), { env: { PATH: path }, encoding: 'utf8' })
    .stdout;
}

test('a java that ends early is quoted', () => {
  const java = `[ "$1" = -version ] && echo 'openjdk version "17.0.1"' >&2 && exit; echo 'no memory' >&2; exit 1`;
  expect(startWith(java)).toBe('Error: DynamoDB Local ended before its first answer. It said: no memory\n');
});

describe('without a fit Java', () => {
  test.each([
    ['none', undefined, 'but no working "java" was found'],
    [
      'only the placeholder of macOS',
      'echo "Unable to locate a Java Runtime." >&2; exit 1',
      'no working "java"',
    ],
    ['Java 8', `echo 'java version "1.8.0_402"' >&2`, 'but "java" is version 8'],
    ['Java 11', `echo 'openjdk version "11.0.22" 2024-01-16' >&2`, 'but "java" is version 11'],
  ])('with %s, one sentence says what is missing and how to get it', (_, java, finding) => {
    const output = startWith(java);
    expect(output).toMatch(/^JavaMissingError: DynamoDB Local needs Java 17 or newer.*\n$/);
    expect(output).toContain(finding);
    expect(output).toContain('apt-get install openjdk-17-jre-headless');
    expect(output).toContain('brew install openjdk@17');
  });
});

describeWithDynamoDb('DynamoDB Local', (getEndpoint) => {
  test('has one database for every region and credential', async () => {
    await client(getEndpoint(), 'us-east-1').send(createTable('shared'));
    const { TableNames } = await client(getEndpoint(), 'eu-central-1').send(new ListTablesCommand({}));
    expect(TableNames).toEqual(['shared']);
  });

  test(
    'keeps its data in a folder, and stop ends it',
    async () => {
      const dataDir = join(folder, 'new', 'data');
      const first = await startDynamoDbLocal({ dataDir });
      await client(first.endpoint).send(createTable('kept'));
      await first.stop();
      await first.stop();
      await expect(fetch(first.endpoint)).rejects.toThrow('fetch failed');

      const second = await startDynamoDbLocal({ dataDir, port: first.port });
      expect(second.port).toBe(first.port);
      const { TableNames } = await client(second.endpoint).send(new ListTablesCommand({}));
      await second.stop();
      expect(TableNames).toEqual(['kept']);
    },
    LIMIT_MS,
  );

  test('says that a port is in use', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(startDynamoDbLocal({ port })).rejects.toThrow(`Port ${port} is in use`);
    server.close();
  });

  test(
    'ends when its parent is killed',
    async () => {
      const program = 'console.log((await startDynamoDbLocal()).port); setInterval(() => {}, 1000);';
      const parent = spawn(process.execPath, nodeArguments(program), {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
      const socket = connect(Number(line), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      const ended = once(socket, 'close');
      parent.kill('SIGKILL');
      await ended;
      await expect(fetch(`http://127.0.0.1:${line}`)).rejects.toThrow('fetch failed');
    },
    LIMIT_MS,
  );

  test(
    'outlives Ctrl-C until its parent has shut down',
    async () => {
      const program = `
        const database = await startDynamoDbLocal();
        const tick = setInterval(() => {}, 1000);
        process.once('SIGINT', async () => {
          console.log((await fetch(database.endpoint)).status);
          await database.stop();
          clearInterval(tick);
          console.log('stopped');
        });
        console.log('ready');`;
      const parent = spawn(process.execPath, nodeArguments(program), {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('ready');
      // What a terminal does at Ctrl-C: the signal goes to the whole foreground process group.
      process.kill(-Number(parent.pid), 'SIGINT');
      expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['400', 'stopped']);
      if (parent.exitCode === null) await once(parent, 'exit');
      expect(parent.exitCode).toBe(0);
    },
    LIMIT_MS,
  );
});
