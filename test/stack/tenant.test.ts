import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { deploy } from './deployment.ts';
import { CUSTOMER } from './key-users.ts';
import { ACCOUNT, evaluate, type Statement } from './policy.ts';
import { resourcesOf, synthAll } from './synth.ts';
import { acme, bus, type Options, reader, tenantOf, valueKey } from './tenant-of.ts';

describe('a tenant in Europe', () => {
  const stage = tenantOf({
    tenant: 'acme',
    region: 'eu-central-1',
    byokKeyArn: valueKey('eu-central-1'),
    compliance: 'true',
    archiveReader: reader,
    eventBusArn: bus,
  });
  const templates = synthAll(stage);
  const deployment = deploy(stage, templates);
  const text = Object.values(templates)
    .map((template) => JSON.stringify(template?.toJSON() ?? {}))
    .join('\n');

  test('has everything of its own under its own name, in its region alone', () => {
    const tables = templates.data ? resourcesOf(templates.data, 'AWS::DynamoDB::GlobalTable') : [];
    expect(tables.map(([, { Properties }]) => Properties['TableName']).sort()).toEqual([
      'lockzero-acme-audit',
      'lockzero-acme-vault',
    ]);
    for (const [, { Properties }] of tables)
      expect(Properties['Replicas']).toEqual([expect.objectContaining({ Region: 'eu-central-1' })]);
    expect(text).not.toContain('us-east-1');
    expect(text).not.toContain('ReplicationConfiguration');
    expect(templates.archiveCopy).toBeUndefined();
  });

  test('depends on the customer’s key for values only: tables, buckets, logs and audit never name it', () => {
    const { tenantKeyArn = '' } = stage;
    for (const template of [templates.keys, templates.data, templates.trail]) {
      expect(JSON.stringify(template?.findResources('*') ?? {})).not.toContain(tenantKeyArn);
    }
    const told = [...deployment.functionRoles.keys()].filter((name) => {
      const environment = deployment.environmentOf(name.replace('lockzero-acme-', ''));
      return JSON.stringify(environment).includes(tenantKeyArn);
    });
    expect(told.sort()).toEqual(
      ['api', 'reconciler', 'rewrapper', 'syncer'].map((name) => `lockzero-acme-${name}`),
    );
  });

  test('gives workspaces the largest plan where none was assigned', () => {
    for (const name of ['api', 'assign-plan', 'snapshot'])
      expect(deployment.environmentOf(name)).toMatchObject({ DEFAULT_PLAN: 'enterprise' });
  });

  test('outputs what the policy of the key needs, each statement short enough to be an output', () => {
    const outputs = [...deployment.outputs].filter(([name]) => name.startsWith('TenantKeyStatement'));
    expect(outputs.map(([name]) => name.replace('TenantKeyStatement', ''))).toEqual([
      'OpensAndSeals',
      'MovesValues',
      'SyncsSecrets',
      'LooksAtKey',
    ]);
    for (const [, json] of outputs) {
      expect(json.length).toBeLessThanOrEqual(1_024);
      expect(JSON.parse(json)).toMatchObject({
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
        Resource: '*',
        Condition: { ArnEquals: { 'aws:PrincipalArn': expect.anything() } },
      });
    }
  });

  test('lets the customer’s role read the call log, which is its trail, and nobody else of that account', () => {
    const [[arn, statements] = ['', []]] = [...deployment.buckets].filter(([name]) =>
      name.includes(':CallLog'),
    );
    const decide = (principal: string, action: string, resource: string) =>
      evaluate(statements, {
        principal,
        action,
        resource,
        context: {
          'aws:SecureTransport': 'true',
          's3:TlsVersion': '1.3',
          'aws:PrincipalIsAWSService': 'false',
        },
      });
    const file = `${arn}/AWSLogs/${ACCOUNT}/CloudTrail/eu-central-1/2026/11/22/file.json.gz`;
    expect(decide(reader, 's3:GetObject', file)).toBe('allowed');
    expect(decide(reader, 's3:ListBucket', arn)).toBe('allowed');
    for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion'])
      expect(decide(reader, action, file)).toBe('denied');
    expect(decide(`${reader}-2`, 's3:GetObject', file)).toBe('not allowed');
    expect(deployment.outputs.get('CustomerTrailBucketName')).toBe(arn.replace('arn:aws:s3:::', ''));
    expect(resourcesOf(templates.watch as never, 'AWS::CloudTrail::Trail')).toHaveLength(1);
  });

  test('tells the customer’s event bus of calls on its key, which are read-only, of refused ones, and of changes', () => {
    templates.watch?.hasResourceProperties('AWS::Events::Rule', {
      Name: 'lockzero-acme-customer',
      State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
      EventPattern: {
        'detail-type': ['AWS API Call via CloudTrail', 'AWS Service Event via CloudTrail'],
        detail: {
          $or: [
            { readOnly: [false] },
            { eventSource: ['kms.amazonaws.com'], resources: { ARN: [stage.tenantKeyArn] } },
            { eventSource: ['kms.amazonaws.com'], errorCode: [{ exists: true }] },
          ],
        },
      },
      Targets: [{ Arn: bus }],
    });
    const role = deployment.roles.get('lockzero-acme-eu-central-1-customer-events');
    expect(role?.statements).toEqual([{ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus }]);
  });

  test('outputs what the policy of that bus needs: the one role tells it, and nobody else may', () => {
    const json = deployment.outputs.get('CustomerEventBusStatement') ?? '';
    expect(json.length).toBeLessThanOrEqual(1_024);
    const decide = (role: string, action = 'events:PutEvents', resource = bus) =>
      evaluate([JSON.parse(json) as Statement], {
        principal: `arn:aws:iam::${ACCOUNT}:role/lockzero-acme-eu-central-1-${role}`,
        action,
        resource,
      });
    expect(decide('customer-events')).toBe('allowed');
    expect(decide('api')).toBe('not allowed');
    expect(decide('customer-events', 'events:PutRule')).toBe('not allowed');
    expect(decide('customer-events', 'events:PutEvents', `${bus}-2`)).toBe('not allowed');
  });

  test('has an alarm for events that do not reach the bus', () => {
    templates.watch?.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'lockzero-acme-customer-event-failures',
      Namespace: 'AWS/Events',
      MetricName: 'FailedInvocations',
      Dimensions: [{ Name: 'RuleName', Value: 'lockzero-acme-customer' }],
      Threshold: 1,
      AlarmDescription: Match.stringLikeRegexp('docs/RUNBOOK\\.md#deploying-a-tenant-and-destroying-one$'),
    });
    expect(readFileSync('docs/RUNBOOK.md', 'utf8')).toContain(
      '\n## Deploying a tenant, and destroying one\n',
    );
  });
});

describe('a tenant with a bucket for its trail', () => {
  const stage = tenantOf({ ...acme, compliance: 'true', archiveReader: reader, trailBucket: 'acme-trail' });
  const templates = synthAll(stage);
  const { watch, api } = templates;
  const deployment = deploy(stage, templates);

  test('gets a second trail of all regions with digests, and the call log stays closed', () => {
    watch?.hasResourceProperties('AWS::CloudTrail::Trail', {
      TrailName: 'lockzero-acme-customer',
      S3BucketName: 'acme-trail',
      EnableLogFileValidation: true,
      IsMultiRegionTrail: true,
      IncludeGlobalServiceEvents: true,
      IsLogging: true,
    });
    const [[, statements] = ['', []]] = [...deployment.buckets].filter(([name]) => name.includes(':CallLog'));
    expect(JSON.stringify(statements)).not.toContain(CUSTOMER);
    expect(deployment.outputs.get('CustomerTrailBucketName')).toBe('acme-trail');
    // There is no bus.
    expect(deployment.outputs.has('CustomerEventBusStatement')).toBe(false);
    expect(JSON.stringify(watch?.toJSON())).not.toContain('customer-event');
  });

  test('is told what the policy of that bucket needs: this one trail may write, and nothing else may', () => {
    const json = deployment.outputs.get('CustomerTrailBucketStatements') ?? '';
    expect(json.length).toBeLessThanOrEqual(1_024);
    const statements = JSON.parse(json) as Statement[];
    const trail = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/lockzero-acme-customer`;
    const decide = (action: string, resource: string, context: Record<string, string>) =>
      evaluate(statements, { principal: 'cloudtrail.amazonaws.com', action, resource, context });
    const acl = { 's3:x-amz-acl': 'bucket-owner-full-control' };
    const file = `arn:aws:s3:::acme-trail/AWSLogs/${ACCOUNT}/CloudTrail/x`;
    expect(decide('s3:GetBucketAcl', 'arn:aws:s3:::acme-trail', { 'aws:SourceArn': trail })).toBe('allowed');
    expect(decide('s3:PutObject', file, { ...acl, 'aws:SourceArn': trail })).toBe('allowed');
    expect(decide('s3:PutObject', file, { ...acl, 'aws:SourceArn': `${trail}2` })).toBe('not allowed');
    expect(decide('s3:PutObject', file, { 'aws:SourceArn': trail })).toBe('not allowed');
  });

  test('calls FIPS endpoints in every function, and serves FIPS ciphers only', () => {
    const names = [...deployment.functionRoles.keys()].filter((name) => name.startsWith('lockzero-acme-'));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      expect(deployment.environmentOf(name.replace('lockzero-acme-', ''))).toMatchObject({
        AWS_USE_FIPS_ENDPOINT: 'true',
      });
    }
    api?.hasResourceProperties('AWS::ApiGateway::RestApi', {
      SecurityPolicy: Match.stringLikeRegexp('FIPS'),
    });
  });
});

test('the customer’s key in the vault’s own account has an alarm, one elsewhere cannot', () => {
  const alarmsOf = (options: Options) => {
    const { watch } = synthAll(tenantOf(options));
    return watch === undefined
      ? []
      : resourcesOf(watch, 'AWS::CloudWatch::Alarm')
          .map(([, { Properties }]) => String(Properties['AlarmName']))
          .filter((name) => name.includes('kms'));
  };
  const here = { ...acme, byokKeyArn: valueKey('us-east-1', ACCOUNT), account: ACCOUNT };
  expect(alarmsOf(here)).toEqual(['lockzero-acme-kms-decrypts', 'lockzero-acme-kms-decrypts-tenant']);
  expect(alarmsOf({ ...acme, account: ACCOUNT })).toEqual(['lockzero-acme-kms-decrypts']);
});
