import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openServer } from '../../local/server.ts';
import { api } from '../support/api.ts';
import { type DevProcess, finishLocal, startDevProcess } from '../support/dev-vault.ts';
import { describeWithJava } from '../support/java.ts';

// A start takes seconds, and longer on a machine that is busy.
jest.setTimeout(120_000);
const folder = mkdtempSync(join(tmpdir(), 'lockzero-dev-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newDataDir(): string {
  return mkdtempSync(join(folder, 'data-'));
}

describe('npm run dev refuses to start, in one sentence,', () => {
  test.each([
    ['with a port that is none', { LOCKZERO_PORT: '70000' }, /LOCKZERO_PORT must be .* but it is "70000"\.$/],
    [
      'with a switch that is none',
      { LOCKZERO_RATE_LIMIT: 'no' },
      /LOCKZERO_RATE_LIMIT must be "on" or "off"/,
    ],
  ])('%s', async (_, variables, sentence) => {
    const { stderr, stdout, exitCode } = await finishLocal('dev', variables);
    expect(stderr.trimEnd()).toMatch(sentence);
    expect([stderr.trimEnd().split('\n').length, stdout, exitCode]).toEqual([1, '', 1]);
  });

  test('with an argument that it does not have', async () => {
    const { stderr, stdout, exitCode } = await finishLocal('dev', {}, ['--fast-clok']);
    expect(stderr).toBe(
      'The only argument is --fast-clock, which lets a day pass in a minute; given was "--fast-clok".\n',
    );
    expect([stdout, exitCode]).toEqual(['', 1]);
  });

  test('without Java', async () => {
    const path = mkdtempSync(join(folder, 'path-'));
    symlinkSync(process.execPath, join(path, 'node'));
    const { stderr, exitCode } = await finishLocal('dev', { PATH: path, LOCKZERO_DATA_DIR: newDataDir() });
    expect(stderr).toMatch(/^DynamoDB Local needs Java 17 or newer on the PATH.*\n$/);
    expect(exitCode).toBe(1);
  });
});

describeWithJava('npm run dev', () => {
  test('refuses a port that is taken', async () => {
    const other = await openServer(0, [async () => true]);
    const variables = { LOCKZERO_PORT: String(other.port), LOCKZERO_DATA_DIR: newDataDir() };
    const { stderr, exitCode } = await finishLocal('dev', variables);
    await other.stop();
    expect(stderr).toMatch(new RegExp(`^Port ${other.port} is taken: .* LOCKZERO_PORT .*\n$`));
    expect(exitCode).toBe(1);
  });

  test('lets hours pass in seconds with --fast-clock, and stays ahead at the next start', async () => {
    const dataDir = newDataDir();
    const fast = await startDevProcess(dataDir, {}, ['--fast-clock']);
    expect(fast.output()).toContain('a day passes in a minute');
    // It runs every quarter of an hour.
    await fast.says('The probe came through');
    const { json } = await api(fast.config.url, fast.config.apiKey).post('/secrets', {
      json: { namespace: 'prod', name: 'LATER', value: 'stored in what is the future elsewhere' },
    });
    const { createdAt } = json as { readonly createdAt: string };
    // One stroke of five minutes at least, less the time since.
    expect(Date.parse(createdAt)).toBeGreaterThan(Date.now() + 4 * 60_000);
    expect(await fast.end('SIGINT')).toBe(0);

    const again = await startDevProcess(dataDir);
    expect(again.output()).toMatch(/clock {4}[\d.]+ hours ahead of the wall clock/);
    expect(await again.end('SIGINT')).toBe(0);
  });

  describe('on one data directory, from start to start', () => {
    const dataDir = newDataDir();
    let vault: DevProcess;

    test('starts, and prints where it is and how to begin', async () => {
      vault = await startDevProcess(dataDir);
      const { url, apiKey } = vault.config;
      expect(vault.output()).toContain(`Lockzero runs at ${url}`);
      expect(vault.output()).toContain(apiKey);
      expect(vault.output().match(/^ {2}curl .*$/gm)).toHaveLength(3);
      const stored = await api(url, apiKey).post('/secrets', {
        json: { namespace: 'prod', name: 'TOKEN', value: 'kept from start to start' },
      });
      expect(stored.status).toBe(201);
    });

    test('logs each request on one line, without what it holds', async () => {
      const { url, apiKey } = vault.config;
      const { headers } = await api(url, apiKey).get('/namespaces/prod/secrets/TOKEN/value?');
      const line = vault
        .output()
        .split('\n')
        .find((each) => each.includes(String(headers.get('x-request-id'))));
      expect(JSON.parse(line ?? '')).toMatchObject({
        message: 'request',
        method: 'GET',
        path: '/namespaces/prod/secrets/TOKEN/value',
        status: 200,
      });
      expect(vault.output()).not.toContain('kept from start to start');
      expect(vault.output()).not.toMatch(/lz_[\w-]{43}"/);
    });

    test('refuses a second vault on it', async () => {
      const { stderr, exitCode } = await finishLocal('dev', {
        LOCKZERO_PORT: '0',
        LOCKZERO_DATA_DIR: dataDir,
      });
      expect(stderr).toMatch(
        new RegExp(`^Another vault \\(process ${vault.pid}\\) runs on ${dataDir}: .*LOCKZERO_DATA_DIR\\.\n$`),
      );
      expect(exitCode).toBe(1);
      expect((await api(vault.config.url).get('/health')).status).toBe(200);
    });

    test('lets an address send 240 requests a minute', async () => {
      const answers = [];
      for (let count = 0; count < 481; count += 1) {
        const answer = await api(vault.config.url).get('/health');
        answers.push(answer);
        if (answer.status !== 200) break;
      }
      const last = answers.at(-1);
      expect([last?.status, last?.headers.get('retry-after')]).toEqual([429, '60']);
    });

    test('ends at SIGINT with everything that it started, and keeps what it stored', async () => {
      const before = vault.config;
      expect(await vault.end('SIGINT')).toBe(0);
      await expect(fetch(before.aws.dynamodbEndpoint)).rejects.toThrow('fetch failed');
      await expect(fetch(before.url)).rejects.toThrow('fetch failed');

      vault = await startDevProcess(dataDir);
      expect(vault.config).toMatchObject({ workspaceId: before.workspaceId, apiKey: before.apiKey });
      await expectStored();
    });

    test('starts again after it was killed', async () => {
      const before = vault.config;
      expect(await vault.end('SIGKILL')).toBe(null);
      vault = await startDevProcess(dataDir);
      expect(vault.config.apiKey).toBe(before.apiKey);
      await expectStored();
    });

    test('ends at SIGTERM too, and recovers the owner by a fresh setup token where dev.json is damaged', async () => {
      const before = vault.config;
      expect(await vault.end('SIGTERM')).toBe(0);
      writeFileSync(join(dataDir, 'dev.json'), '{"url":');
      vault = await startDevProcess(dataDir);
      const { url, apiKey, workspaceId } = vault.config;
      expect([workspaceId === before.workspaceId, apiKey === before.apiKey]).toEqual([true, false]);
      await expectStored();
      const { json } = await api(url, apiKey).get('/audit?action=owner.recovered');
      expect(json.items).toHaveLength(1);
    });

    async function expectStored(): Promise<void> {
      const { url, apiKey } = vault.config;
      const { json } = await api(url, apiKey).get('/namespaces/prod/secrets/TOKEN/value');
      expect(json.value).toBe('kept from start to start');
    }

    afterAll(async () => {
      await vault?.end('SIGINT');
      await expect(readFile(join(dataDir, 'dev.pid'))).rejects.toThrow('ENOENT');
    });
  });
});
