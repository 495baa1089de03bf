import { Match } from 'aws-cdk-lib/assertions';
import { findStage } from '../../lib/stages.ts';
import { ACCOUNT, evaluate, resolve, type Statement } from './policy.ts';
import { type Resource, resourcesOf, synth } from './synth.ts';

const { data } = synth(findStage('production'));
const { data: development } = synth(findStage('development'));

type Replica = Record<string, unknown>;

function table(name: string, template = data): { resource: Resource; replica: Replica } {
  const found = resourcesOf(template, 'AWS::DynamoDB::GlobalTable').find(([id]) => id.startsWith(name));
  const [replica] = (found?.[1].Properties['Replicas'] ?? []) as Replica[];
  if (found === undefined || replica === undefined) throw new Error(`There is no table ${name}.`);
  return { resource: found[1], replica };
}

function bucket(name: string, template = data): Resource {
  const found = resourcesOf(template, 'AWS::S3::Bucket').find(([id]) => id.startsWith(name));
  if (found === undefined) throw new Error(`There is no bucket ${name}.`);
  return found[1];
}

describe('both tables', () => {
  test.each(['Vault', 'Audit'])('%s: on demand, recoverable, protected, under the data key', (name) => {
    const { resource, replica } = table(name);
    expect(resource.Properties).toMatchObject({
      TableName: `lockzero-production-${name.toLowerCase()}`,
      BillingMode: 'PAY_PER_REQUEST',
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
    expect(replica).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 },
    });
    expect(JSON.stringify(replica['SSESpecification'])).toContain('DataKey');
    expect(resource.DeletionPolicy).toBe('Retain');
    expect(resource.UpdateReplacePolicy).toBe('Retain');
  });

  test('a development stage may destroy them, but only once their protection is off', () => {
    const { resource, replica } = table('Audit', development);
    expect(resource.DeletionPolicy).toBe('Delete');
    expect(replica['DeletionProtectionEnabled']).toBe(true);
  });

  test('vault has the list index and expires by ttl, audit has neither', () => {
    expect(table('Vault').resource.Properties).toMatchObject({
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'list',
          KeySchema: [
            { AttributeName: 'lk', KeyType: 'HASH' },
            { AttributeName: 'lsk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    const audit = table('Audit').resource.Properties;
    expect(audit['GlobalSecondaryIndexes']).toBeUndefined();
    expect(audit['TimeToLiveSpecification']).toBeUndefined();
  });
});

test.each(['Vault', 'Audit'])('%s has a stream that tells what was there before and after', (name) => {
  expect(table(name).resource.Properties).toMatchObject({
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
  });
});

describe('the resource policy of audit', () => {
  const { PolicyDocument } = table('Audit').replica['ResourcePolicy'] as {
    PolicyDocument: { Statement: Statement[] };
  };
  const changes = [
    'DeleteItem',
    'UpdateItem',
    'BatchWriteItem',
    'PartiQLDelete',
    'PartiQLUpdate',
    'PartiQLInsert',
  ];
  const as = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;

  test.each(changes)('denies %s to everybody but the retention role', (name) => {
    const action = `dynamodb:${name}`;
    const decide = (principal: string) => evaluate(PolicyDocument.Statement, { principal, action });
    expect(decide(as('Administrator'))).toBe('denied');
    expect(decide(`arn:aws:iam::${ACCOUNT}:root`)).toBe('denied');
    expect(decide(as('lockzero-production-us-east-1-api'))).toBe('denied');
    expect(decide(as('lockzero-production-us-east-1-retention-2'))).toBe('denied');
    expect(decide(as('lockzero-production-us-east-1-retention'))).toBe('not allowed');
  });

  test('leaves reading and appending to IAM, and allows nothing by itself', () => {
    for (const action of ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem']) {
      const principal = as('lockzero-production-us-east-1-api');
      expect(evaluate(PolicyDocument.Statement, { principal, action })).toBe('not allowed');
    }
    expect(PolicyDocument.Statement.map((statement) => statement.Effect)).toEqual(['Deny']);
  });

  test('names the table that it stands on', () => {
    const [statement] = PolicyDocument.Statement;
    const arn = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/lockzero-production-audit`;
    expect(resolve(statement?.Resource)).toBe(arn);
  });
});

describe('the buckets', () => {
  const buckets = resourcesOf(data, 'AWS::S3::Bucket');

  test('are private, versioned and retained, in every stage', () => {
    expect(buckets).toHaveLength(4);
    for (const [, resource] of [...buckets, ...resourcesOf(development, 'AWS::S3::Bucket')]) {
      expect(resource.DeletionPolicy).toBe('Retain');
      expect(resource.Properties).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      });
    }
  });

  test('refuse plain HTTP and TLS below 1.2', () => {
    const policies = resourcesOf(data, 'AWS::S3::BucketPolicy').map(([, policy]) => policy.Properties);
    expect(policies.map((policy) => resolve(policy['Bucket'])).sort()).toEqual(
      buckets.map(([id]) => id).sort(),
    );
    for (const policy of policies) {
      expect(policy['PolicyDocument']).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
          expect.objectContaining({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } },
          }),
        ]),
      });
    }
  });

  test('the archive is locked for seven years in production, a day in development, without a KMS key', () => {
    const locked = (mode: string, days: number) => ({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: mode, Days: days } },
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LoggingConfiguration: { LogFilePrefix: 'archive/' },
    });
    expect(bucket('Archive').Properties).toMatchObject(locked('COMPLIANCE', 2557));
    expect(bucket('Archive', development).Properties).toMatchObject(locked('GOVERNANCE', 1));
    expect(bucket('Archive').Properties['LifecycleConfiguration']).toBeUndefined();
  });

  test('what is staged expires after a week, is locked by nothing and needs no KMS key', () => {
    const staging = bucket('Staging').Properties;
    expect(staging).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [
          { ExpirationInDays: 7, NoncurrentVersionExpiration: { NoncurrentDays: 1 }, Status: 'Enabled' },
        ],
      },
      LoggingConfiguration: { LogFilePrefix: 'staging/' },
    });
    expect(staging['ObjectLockEnabled']).toBeUndefined();
  });

  test('backups lie under the data key for a year', () => {
    const backup = bucket('Backup').Properties;
    expect(JSON.stringify(backup['BucketEncryption'])).toMatch(/DataKey.*"SSEAlgorithm":"aws:kms"/);
    expect(backup).toMatchObject({
      LifecycleConfiguration: {
        Rules: [
          // 365 days in all: what expires is an old version for the last 90.
          { ExpirationInDays: 275, NoncurrentVersionExpiration: { NoncurrentDays: 90 }, Status: 'Enabled' },
        ],
      },
      LoggingConfiguration: { LogFilePrefix: 'backup/' },
    });
  });
});

describe('the policy of the archive', () => {
  const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/lockzero-production-us-east-1-${name}`;
  const administrator = `arn:aws:iam::${ACCOUNT}:role/Administrator`;
  const root = `arn:aws:iam::${ACCOUNT}:root`;

  /** What the policy says of a call on a key, or on the bucket itself. */
  function decide(principal: string, action: string, key?: string, template = data) {
    const [archiveId] =
      resourcesOf(template, 'AWS::S3::Bucket').find(([id]) => id.startsWith('Archive')) ?? [];
    const policies = resourcesOf(template, 'AWS::S3::BucketPolicy').map(([, { Properties }]) => Properties);
    const policy = policies.find((properties) => resolve(properties['Bucket']) === archiveId);
    const { Statement } = { ...policy }['PolicyDocument'] as { Statement: Statement[] };
    const resource = key === undefined ? `${archiveId}.Arn` : `${archiveId}.Arn/${key}`;
    const context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
    return evaluate(Statement, { principal, action, resource, context });
  }

  test.each([
    ['log/ws_1/checkpoint', 'sealer'],
    ['archive/ws_1/2026-01-01/manifest.json', 'archiver'],
    ['evidence/ws_1/2026-01.zip', 'evidence-export'],
  ])('lets nobody write %s but the %s', (key, writer) => {
    const others = ['sealer', 'archiver', 'evidence-export', 'api', 'retention', 'verifier'].filter(
      (name) => name !== writer,
    );
    expect(decide(role(writer), 's3:PutObject', key)).toBe('not allowed');
    for (const principal of [...others.map(role), administrator, root]) {
      expect([principal, decide(principal, 's3:PutObject', key)]).toEqual([principal, 'denied']);
    }
  });

  test('lets nobody write anywhere else', () => {
    for (const key of ['logs/x', 'archives/x', 'x', 'Log/x']) {
      for (const principal of [role('sealer'), role('archiver'), administrator, root]) {
        expect(decide(principal, 's3:PutObject', key)).toBe('denied');
      }
    }
  });

  test('lets nobody remove or hide, unless the stage is meant to be thrown away', () => {
    for (const action of ['s3:DeleteObject', 's3:DeleteObjectVersion']) {
      for (const principal of [role('sealer'), role('retention'), administrator, root]) {
        expect(decide(principal, action, 'log/ws_1/checkpoint')).toBe('denied');
      }
      expect(decide(administrator, action, 'log/ws_1/checkpoint', development)).toBe('not allowed');
    }
  });

  test('leaves reading to IAM, and the bucket to whoever deploys', () => {
    expect(decide(role('api'), 's3:GetObject', 'log/ws_1/checkpoint')).toBe('not allowed');
    for (const action of [
      's3:PutBucketPolicy',
      's3:PutBucketTagging',
      's3:PutBucketObjectLockConfiguration',
    ]) {
      expect(decide(administrator, action)).toBe('not allowed');
    }
  });
});

test('the bootstrap secrets are generated, never written here, under the data key', () => {
  const secrets = resourcesOf(data, 'AWS::SecretsManager::Secret').map(([, secret]) => secret.Properties);
  expect(secrets).toHaveLength(2);
  expect(secrets).toContainEqual(
    expect.objectContaining({
      Name: 'lockzero/production/root',
      GenerateSecretString: {
        SecretStringTemplate: '{"current":"1"}',
        GenerateStringKey: '1',
        PasswordLength: 64,
        ExcludePunctuation: true,
      },
    }),
  );
  expect(secrets).toContainEqual(
    expect.objectContaining({
      Name: 'lockzero/production/setup-token',
      GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true },
    }),
  );
  for (const secret of secrets) expect(JSON.stringify(secret['KmsKeyId'])).toContain('DataKey');
});

test('outputs name what an operator needs, and how to read the setup token', () => {
  data.hasOutput('VaultTableName', {});
  data.hasOutput('AuditTableName', {});
  data.hasOutput('ArchiveBucketName', {});
  data.hasOutput('SetupTokenSecretName', {
    Value: 'lockzero/production/setup-token',
    Description: Match.stringLikeRegexp(
      'aws secretsmanager get-secret-value --secret-id lockzero/production/setup-token',
    ),
  });
});
