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
    expect(audit).toMatchObject({ StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' } });
    expect(audit['GlobalSecondaryIndexes']).toBeUndefined();
    expect(audit['TimeToLiveSpecification']).toBeUndefined();
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
    expect(buckets).toHaveLength(3);
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

  test('backups lie under the data key for a year', () => {
    const backup = bucket('Backup').Properties;
    expect(JSON.stringify(backup['BucketEncryption'])).toMatch(/DataKey.*"SSEAlgorithm":"aws:kms"/);
    expect(backup).toMatchObject({
      LifecycleConfiguration: {
        Rules: [
          { ExpirationInDays: 365, NoncurrentVersionExpiration: { NoncurrentDays: 90 }, Status: 'Enabled' },
        ],
      },
      LoggingConfiguration: { LogFilePrefix: 'backup/' },
    });
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
