import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, GetObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import { createSesMail } from '../../aws/ses-mail.ts';
import { readEnv } from '../../lambdas/shared/env.ts';
import { firstRequests } from '../../local/banner.ts';
import { createPwnedPasswords } from '../../net/pwned-passwords.ts';
import { withDevVault } from '../support/api.ts';

withDevVault('the vault on a laptop', (vault) => {
  test('answers that it is there', async () => {
    const { status, json } = await vault.as().get('/health');
    expect([status, json]).toEqual([200, { status: 'ok' }]);
  });

  test('describes its API', async () => {
    const { status, json } = await vault.as().get('/openapi.json');
    expect([status, json.openapi]).toEqual([200, expect.stringMatching(/^3\.1\./)]);
    expect(Object.keys(json.paths)).toContain('/secrets/{id}/reveal');
  });

  test('writes dev.json, for its owner alone, in exactly its form', async () => {
    const file = join(vault.dataDir, 'dev.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      url: vault.url,
      workspaceId: expect.stringMatching(/^ws_[0-9a-f]{32}$/),
      apiKey: expect.stringMatching(/^lz_[A-Za-z0-9_-]{43}$/),
      owner: { email: 'ada@lockzero.local', password: expect.stringMatching(/^.{16,}$/) },
      outbox: join(vault.dataDir, 'outbox'),
      aws: {
        region: 'us-east-1',
        dynamodbEndpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        kmsEndpoint: `${vault.url}/_aws/kms`,
        s3Endpoint: `${vault.url}/_aws/s3`,
        secretsManagerEndpoint: `${vault.url}/_aws/secretsmanager`,
        sesEndpoint: `${vault.url}/_aws/ses`,
        sqsEndpoint: `${vault.url}/_aws/sqs`,
        stsEndpoint: `${vault.url}/_aws/sts`,
        vaultTable: 'lockzero-local-vault',
        auditTable: 'lockzero-local-audit',
        archiveBucket: 'lockzero-local-archive',
        stagingBucket: 'lockzero-local-staging',
        secretsKeyArn: expect.stringMatching(/^arn:aws:kms:us-east-1:000000000000:key\//),
        signingKeyArn: expect.stringMatching(/^arn:aws:kms:us-east-1:000000000000:key\//),
        checkpointKeyArn: expect.stringMatching(/^arn:aws:kms:us-east-1:000000000000:key\//),
      },
    });
  });

  test('leads the functions to its signing key, its outbox and its breached passwords', async () => {
    const env = readEnv();
    expect(env.PUBLIC_URL).toBe(vault.url);
    const { signature } = await createKmsSigner([env.SIGNING_KEY_ARNS ?? '']).sign(Buffer.from('token'));
    expect(signature).toHaveLength(64);

    await createSesMail(env.MAIL_FROM).send({ to: 'ada@example.com', subject: 'Hello', text: 'Hi' });
    const [name = ''] = await readdir(vault.config.outbox);
    const message = await readFile(join(vault.config.outbox, name), 'utf8');
    expect(message).toMatch(/^From: vault@lockzero\.local\nTo: ada@example\.com\nSubject: Hello\n/);

    const passwords = createPwnedPasswords(env.PWNED_PASSWORDS_URL);
    expect((await passwords.range('ABCDE')).size).toBe(800);
  });

  test('the three lines of the banner work as they stand', async () => {
    const outputs: string[] = [];
    for (const { command } of firstRequests(vault.config, 'greeting')) {
      const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command]);
      outputs.push(stdout);
    }
    const [store = '', reveal = '', audit = ''] = outputs;
    expect(JSON.parse(store)).toMatchObject({ namespace: 'demo', name: 'greeting', version: 1 });
    expect(JSON.parse(reveal)).toMatchObject({ name: 'greeting', value: 'correct horse battery staple' });
    const actions = JSON.parse(audit).items.map(({ action }: { action: string }) => action);
    expect(actions).toEqual(expect.arrayContaining(['secret.created', 'secret.revealed']));
  });

  test('has tables and an archive of the deployed shape', async () => {
    const { vaultTable, auditTable, archiveBucket, stagingBucket } = vault.config.aws;
    const { dynamodb, s3, destroy } = clients();

    const { Table: entities } = await dynamodb.send(new DescribeTableCommand({ TableName: vaultTable }));
    expect(entities).toMatchObject({
      DeletionProtectionEnabled: true,
      KeySchema: [{ AttributeName: 'pk' }, { AttributeName: 'sk' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'list',
          KeySchema: [{ AttributeName: 'lk' }, { AttributeName: 'lsk' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    const { TimeToLiveDescription: ttl } = await dynamodb.send(
      new DescribeTimeToLiveCommand({ TableName: vaultTable }),
    );
    expect(ttl).toEqual({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
    const { Table: rows } = await dynamodb.send(new DescribeTableCommand({ TableName: auditTable }));
    expect(rows).toMatchObject({
      DeletionProtectionEnabled: true,
      KeySchema: [{ AttributeName: 'pk' }, { AttributeName: 'sk' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    const { ObjectLockConfiguration: lock } = await s3.send(
      new GetObjectLockConfigurationCommand({ Bucket: archiveBucket }),
    );
    expect(lock).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    });
    await expect(
      s3.send(new GetObjectLockConfigurationCommand({ Bucket: stagingBucket })),
    ).rejects.toMatchObject({ name: 'ObjectLockConfigurationNotFoundError' });
    destroy();
  });

  test('seals what was written, once streams and queues have been handed over', async () => {
    await vault.owner.post('/secrets', { json: { namespace: 'demo', name: 'sealed', value: 'x' } });
    await vault.pump();
    const { s3, destroy } = clients();
    const Bucket = vault.config.aws.archiveBucket;
    const Key = `log/${vault.config.workspaceId}/checkpoint`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const [origin, size] = (await Body?.transformToString())?.split('\n') ?? [];
    expect(origin).toBe(`lockzero.local/${vault.config.workspaceId}`);
    expect(Number(size)).toBeGreaterThan(0);
    destroy();
  });

  test('runs each job out of turn', async () => {
    const run = async (name: string) => (await vault.as().post(`/_jobs/${name}`)).json;
    expect(await run('tally')).toEqual({ rows: expect.any(Number) });
    expect(await run('purge')).toEqual({ secrets: 0, keys: 0, leftovers: 0, people: 0 });
    expect(await run('sealer')).toMatchObject({ workspaces: 2, refused: 0, failed: 0 });
    expect(await run('deliverer')).toEqual({ events: 0 });
    expect(await run('archiver')).toMatchObject({ workspaces: 2, failed: 0 });
    expect(await run('retention')).toMatchObject({ workspaces: 2, deleted: 0, failed: 0 });
    expect(await run('verifier')).toMatchObject({ workspaces: 2, rows: expect.any(Number), breaks: 0 });
  });

  test('hands a job the event that it was sent, and refuses one that is no JSON', async () => {
    const { workspaceId } = vault.config;
    const recovered = await vault.as().post('/_jobs/sealer', { json: { recover: workspaceId } });
    expect(recovered.status).toBe(200);
    expect(recovered.json).not.toHaveProperty('workspaces');
    const { json } = await vault.as().post('/_jobs/sealer', { raw: '{' });
    expect(json).toMatchObject({ status: 400, code: 'malformed_json' });
  });

  test('notices within a pump what was changed behind its back', async () => {
    const { dynamodb, destroy } = clients();
    const pk = { S: `A#${vault.config.workspaceId}#0` };
    const sk = { S: 'R#0000000000000001' };
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: vault.config.aws.auditTable,
        Key: { pk, sk },
        UpdateExpression: 'SET planted = :true',
        ExpressionAttributeValues: { ':true': { BOOL: true } },
      }),
    );
    expect((await vault.as().post('/_pump')).json).toEqual({});
    const { json } = await vault.owner.get('/audit?action=alert.raised');
    expect(json.items).toEqual([
      expect.objectContaining({
        entity: { type: 'alert', id: expect.stringMatching(/^al_/) },
        result: 'failure',
        detail: expect.objectContaining({
          kind: 'row_modified',
          tier: 'critical',
          state: 'open',
          count: '1',
        }),
      }),
    ]);
    destroy();
  });

  test('an unknown job, or a job by GET, is an unknown path', async () => {
    expect((await vault.as().post('/_jobs/coffee')).json).toMatchObject({ status: 404, code: 'not_found' });
    expect((await vault.as().get('/_jobs/purge')).json).toMatchObject({ status: 404, code: 'not_found' });
  });

  function clients() {
    const { region, dynamodbEndpoint, s3Endpoint } = vault.config.aws;
    const credentials = { accessKeyId: 'anyone', secretAccessKey: 'anything' };
    const dynamodb = new DynamoDBClient({ region, credentials, endpoint: dynamodbEndpoint });
    const s3 = new S3Client({ region, credentials, endpoint: s3Endpoint });
    const destroy = (): void => {
      dynamodb.destroy();
      s3.destroy();
    };
    return { dynamodb, s3, destroy };
  }
});
