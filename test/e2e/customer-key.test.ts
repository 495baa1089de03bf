import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCustomerKey } from '../../local/customer-key-command.ts';
import { api } from '../support/api.ts';
import { type DevProcess, startDevProcess } from '../support/dev-vault.ts';
import { describeWithJava } from '../support/java.ts';

// A start takes seconds, and longer on a machine that is busy.
jest.setTimeout(120_000);

describeWithJava('npm run customer-key beside npm run dev', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lockzero-customer-key-'));
  let vault: DevProcess;
  beforeAll(async () => {
    vault = await startDevProcess(dataDir);
  });
  afterAll(async () => {
    await vault.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const keyArnIn = (output: string): string => output.split('\n')[0] ?? '';

  it('brings a key, takes it away and gives it back', async () => {
    const { url, apiKey } = vault.config;
    const owner = api(url, apiKey);
    const { text: statements } = await owner.get('/workspace/encryption-key');
    const run = (...args: string[]) => runCustomerKey(args, vault.config, async () => statements);
    const reveal = () => owner.get('/namespaces/demo/secrets/ours/value');

    const closed = keyArnIn(await run('create'));
    await expect(run('bring', closed)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/^PUT \/workspace\/encryption-key answered 422: .*\n- it /),
    });

    const keyArn = keyArnIn(await run('create', '-'));
    expect(await run('bring', keyArn)).toContain(`${keyArn} wraps the values`);
    const json = { namespace: 'demo', name: 'ours', value: 'under our key' };
    expect((await owner.post('/secrets', { json })).status).toBe(201);
    expect(await reveal()).toMatchObject({ status: 200, json: { value: 'under our key' } });

    await run('disable', keyArn);
    expect(await reveal()).toMatchObject({ status: 503, json: { code: 'key_unavailable' } });
    await run('enable', keyArn);
    expect((await reveal()).status).toBe(200);

    await run('policy', keyArn);
    expect(await reveal()).toMatchObject({ status: 503, json: { code: 'key_unavailable' } });
    await run('policy', keyArn, '-');
    expect((await reveal()).status).toBe(200);

    await run('delete', keyArn);
    expect(await reveal()).toMatchObject({ status: 503, json: { code: 'key_unavailable' } });
    await run('restore-deletion', keyArn);
    await run('enable', keyArn);
    expect(await reveal()).toMatchObject({ status: 200, json: { value: 'under our key' } });

    expect(await run('return')).toContain('The vault’s own key');
    expect((await owner.get('/workspace/encryption-key')).json).toMatchObject({
      mode: 'vault',
      previousKeyArns: [keyArn],
    });
    await expect(run('retire')).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/^DELETE \/workspace\/encryption-key\/previous answered 409: /),
    });
  });
});
