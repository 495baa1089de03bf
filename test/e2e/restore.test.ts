import { createInterface } from 'node:readline';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoStore } from '../../aws/dynamo-store.ts';
import { createS3Client } from '../../aws/s3-archive.ts';
import { createS3Backups } from '../../aws/s3-backups.ts';
import { BackupFault } from '../../core/backup/backup-fault.ts';
import { readBackup } from '../../core/backup/read-manifest.ts';
import { apiKeyKind } from '../../core/identity/api-key.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { secretKind } from '../../core/secrets/secret.ts';
import { RESOURCES } from '../../local/environment.ts';
import { withDevVault } from '../support/api.ts';
import { finish, runProgram } from '../support/dev-vault.ts';
import { connectDynamo, createTables } from '../support/dynamo-tables.ts';

const STAGE = 'drill';
const TABLES = { vaultTable: `lockzero-${STAGE}-vault`, auditTable: `lockzero-${STAGE}-audit` };

const restore = (args: readonly string[], variables: Readonly<Record<string, string>>) =>
  runProgram('ops/restore.ts', variables, args);

test('npm run restore names all that is not set, and all that it takes', async () => {
  const order = ['--from', 's3://bucket/backups/2026-11-22T00-00-00Z/', '--to-stage', STAGE];
  const unset = await finish(restore(order, { LOG_NAME: 'lockzero.local' }));
  expect(unset).toMatchObject({ stdout: '', exitCode: 2 });
  expect(unset.stderr).toMatch(
    /^Set ARCHIVE_BUCKET, STAGING_BUCKET, CHECKPOINT_KEY_ARN, SECRETS_KEY_ARNS as .* Nothing was read or written\.\n$/,
  );
  const help = await finish(restore(['--help'], {}));
  expect(help).toMatchObject({ stderr: '', exitCode: 0 });
  expect(help.stdout).toContain('npm run restore -- --from <backup> --to-stage <stage>');
});

withDevVault('npm run restore', (vault) => {
  const secrets = Array.from({ length: 6 }, (_, index) => `never to be shown ${index}`);
  const ids: { [name: string]: string } = {};
  let from = '';
  let key = '';
  let client: DynamoDBDocumentClient;

  const variables = (): Readonly<Record<string, string>> => {
    const { aws } = vault.config;
    return {
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_DYNAMODB: aws.dynamodbEndpoint,
      AWS_ENDPOINT_URL_KMS: aws.kmsEndpoint,
      AWS_ENDPOINT_URL_S3: aws.s3Endpoint,
      ARCHIVE_BUCKET: aws.archiveBucket,
      STAGING_BUCKET: aws.stagingBucket,
      LOG_NAME: RESOURCES.logName,
      CHECKPOINT_KEY_ARN: aws.checkpointKeyArn,
      SECRETS_KEY_ARNS: aws.secretsKeyArn,
    };
  };
  const drill = () => ['--from', from, '--to-stage', STAGE, '--drill'];
  const storeSecret = async (name: string, value: string): Promise<string> => {
    const answer = await vault.owner.post('/secrets', { json: { namespace: 'prod', name, value } });
    expect(answer.status).toBe(201);
    return answer.json.id;
  };

  beforeAll(async () => {
    client = connectDynamo(vault.config.aws.dynamodbEndpoint);
    await createTables(client, TABLES);
    for (const [index, value] of secrets.slice(0, 4).entries())
      ids[`kept${index}`] = await storeSecret(`kept-${index}`, value);
    const made = await vault.owner.post('/api-keys', {
      json: { name: 'stolen', role: 'admin', namespaces: ['*'] },
    });
    ids['revoked'] = made.json.id;
    key = made.json.key;

    const { instant } = (await vault.runJob('backup')) as { readonly instant: string };
    from = `s3://${RESOURCES.backupBucket}/backups/${instant}/`;
    await exported(`backups/${instant}/`);

    await vault.owner.delete(`/api-keys/${ids['revoked']}`);
    await vault.owner.put(`/secrets/${ids['kept0']}/value`, { json: { value: secrets[4] } });
    await vault.owner.delete(`/secrets/${ids['kept1']}`);
    ids['later'] = await storeSecret('later', secrets[5] ?? '');
    await vault.pump();
    for (const seal of [vault.config.workspaceId, PLATFORM_WORKSPACE]) await vault.runJob('sealer', { seal });
  });

  test('refuses what would harm the stage that goes on, before it writes anything', async () => {
    const [live, other, misnamed] = await Promise.all([
      finish(restore(['--from', from, '--to-stage', 'local'], variables())),
      finish(restore(['--from', from, '--to-stage', STAGE], variables())),
      finish(restore(drill(), { ...variables(), LOG_NAME: 'lockzero.locl' })),
    ]);
    expect([live.exitCode, other.exitCode, misnamed.exitCode]).toEqual([2, 2, 2]);
    expect(live.stderr).toMatch(/^The tables of the stage are not empty\. .*\n$/);
    expect(other.stderr).toMatch(/^The backup is of the tables lockzero-local-vault and .* add --drill.*\n$/);
    expect(misnamed.stderr).toMatch(/^The archive holds no log of the name lockzero\.locl .*\n$/);
    expect(await stateOf(client)).toBeUndefined();
  });

  test('is killed, goes on, and brings back what can be known, closed', async () => {
    const killed = restore(drill(), variables());
    // All is decided, and nothing is verified yet. The samples wait for the key service, which is in this process.
    createInterface(killed.stdout).on('line', (line) => {
      if (line.startsWith('Entities brought into line')) killed.kill('SIGKILL');
    });
    expect(await finish(killed)).toMatchObject({ stderr: '', exitCode: null });
    expect(await stateOf(client)).toContain('"phase":"loaded"');

    const begun = await finish(restore(drill(), variables()));
    expect([begun.exitCode, begun.stderr]).toEqual([2, expect.stringMatching(/ with --resume\.\n$/)]);

    const { stdout, stderr, exitCode } = await finish(restore([...drill(), '--resume'], variables()));
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toMatch(/^Time: .* of 30 min 0 s\.\nEverything is whole\./m);
    expect(stdout).toMatch(/^\d+ rows verified, 0 breaks$/m);
    expect(stdout).toContain('3 samples opened, 0 failed');
    const { workspaceId } = vault.config;
    for (const lost of [`${ids['kept0']}.2`, `${ids['later']}.1`])
      expect(stdout).toContain(`  ${workspaceId} secretVersion ${lost}\n`);
    expect(stdout).toContain(`  ${workspaceId} apiKey ${ids['revoked']}\n`);
    for (const secret of [...secrets, key, vault.config.apiKey, vault.config.owner.password])
      expect(stdout).not.toContain(secret);

    const store = createDynamoStore(client, TABLES.vaultTable);
    expect((await store.find(apiKeyKind, ids['revoked'] ?? ''))?.revokedAt).toBeDefined();
    const secretOf = (id = '') => store.get(secretKind, workspaceId, id);
    expect((await secretOf(ids['kept0']))?.currentVersion).toBe(1);
    expect((await secretOf(ids['kept1']))?.deletedAt).toBeDefined();
    expect((await secretOf(ids['kept2']))?.deletedAt).toBeUndefined();
    expect(await secretOf(ids['later'])).toBeUndefined();
  });

  test('has disturbed nothing of the vault that went on', async () => {
    expect((await vault.owner.post('/audit/verify', { json: {} })).json).toMatchObject({ ok: true });
    expect((await vault.owner.get('/alerts?state=open')).json).toMatchObject({ items: [] });
  });
});

/** Waits until both exports are finished. */
async function exported(prefix: string): Promise<void> {
  const files = createS3Backups(RESOURCES.backupBucket, createS3Client());
  for (;;) {
    try {
      await readBackup({ files }, prefix);
      return;
    } catch (error) {
      if (!(error instanceof BackupFault && error.reason === 'unfinished')) throw error;
    }
  }
}

/** What a restore has noted of how far it is. */
async function stateOf(client: DynamoDBDocumentClient): Promise<string | undefined> {
  const Key = { pk: { S: 'B#restore' }, sk: { S: '~' } };
  const command = new GetItemCommand({ TableName: TABLES.vaultTable, Key, ConsistentRead: true });
  return (await client.send(command)).Item?.['state']?.S;
}
