import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { type Deployment, deploy } from './deployment.ts';
import { ACCOUNT, evaluate, type Statement } from './policy.ts';
import { resourcesOf, synthAll } from './synth.ts';

const CUSTOMER = '444455556666';
const WORKSPACE = `ws_${'a'.repeat(32)}`;
const OTHER = `ws_${'b'.repeat(32)}`;
const auditor = `arn:aws:iam::${CUSTOMER}:role/team/auditor`;
const tenantReader = `arn:aws:iam::${CUSTOMER}:role/lockzero-reader`;
const stage = parseStage({
  ...findStage('production'),
  archiveReaders: [{ roleArn: auditor }, { roleArn: tenantReader, workspaceId: WORKSPACE }],
  replicateArchiveTo: 'us-west-2',
});
const templates = synthAll(stage);
const deployment = deploy(stage, templates);

const secure = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

function policyOf({ buckets }: Deployment, name: RegExp): { arn: string; statements: readonly Statement[] } {
  const found = [...buckets].filter(([arn]) => name.test(arn));
  const [[arn, statements] = ['', []]] = found;
  if (found.length !== 1) throw new Error(`There is not exactly one bucket ${name}.`);
  return { arn, statements };
}

const archive = policyOf(deployment, /:Archive[0-9A-F]{8}$/);

/** What the archive's policy lets somebody of another account do with an object; IAM there is taken to let them. */
function mayOn(principal: string, action: string, key: string): boolean {
  const resource = `${archive.arn}/${key}`;
  return evaluate(archive.statements, { principal, action, resource, context: secure }) === 'allowed';
}

function mayList(principal: string, action: string, prefix: string | undefined): boolean {
  const context = { ...secure, ...(prefix === undefined ? {} : { 's3:prefix': prefix }) };
  return evaluate(archive.statements, { principal, action, resource: archive.arn, context }) === 'allowed';
}

const READS = ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention'];
const LISTS = ['s3:ListBucket', 's3:ListBucketVersions'];
/** What a reader could harm or learn with. */
const OTHERS = [
  's3:PutObject',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
  's3:BypassGovernanceRetention',
  's3:PutObjectAcl',
  's3:PutObjectTagging',
  's3:RestoreObject',
  's3:ReplicateObject',
  's3:ReplicateDelete',
  's3:PutBucketPolicy',
  's3:DeleteBucketPolicy',
  's3:PutBucketObjectLockConfiguration',
  's3:PutLifecycleConfiguration',
  's3:PutReplicationConfiguration',
  's3:GetBucketPolicy',
];
const keysOf = (workspaceId: string) => [
  `log/${workspaceId}/checkpoint`,
  `archive/${workspaceId}/2026-01-01/manifest.json`,
  `evidence/${workspaceId}/2026-01.zip`,
];

describe('a reader of one workspace', () => {
  test.each(READS)('may %s in its part, and in no other', (action) => {
    for (const key of keysOf(WORKSPACE)) expect([key, mayOn(tenantReader, action, key)]).toEqual([key, true]);
    const elsewhere = [
      ...keysOf(OTHER),
      ...keysOf(`${WORKSPACE}x`),
      ...keysOf('_platform'),
      'x',
      `${WORKSPACE}/x`,
    ];
    for (const key of elsewhere) expect([key, mayOn(tenantReader, action, key)]).toEqual([key, false]);
  });

  test.each(LISTS)('may %s of its part, and of no other', (action) => {
    for (const part of ['log', 'archive', 'evidence']) {
      expect(mayList(tenantReader, action, `${part}/${WORKSPACE}/`)).toBe(true);
      expect(mayList(tenantReader, action, `${part}/${WORKSPACE}/2026-01`)).toBe(true);
      for (const prefix of [`${part}/`, `${part}/${OTHER}/`, `${part}/${WORKSPACE}`, '', undefined])
        expect([prefix, mayList(tenantReader, action, prefix)]).toEqual([prefix, false]);
    }
  });
});

describe('a reader of the whole archive', () => {
  test.each(READS)('may %s wherever the vault writes', (action) => {
    for (const key of [...keysOf(WORKSPACE), ...keysOf(OTHER), ...keysOf('_platform')])
      expect([key, mayOn(auditor, action, key)]).toEqual([key, true]);
    expect(mayOn(auditor, action, 'elsewhere/x')).toBe(false);
  });

  test.each(LISTS)('may %s by prefix', (action) => {
    for (const prefix of ['log/', `archive/${OTHER}/`]) expect(mayList(auditor, action, prefix)).toBe(true);
    expect(mayList(auditor, action, undefined)).toBe(false);
  });
});

test('readers only read, and nobody else of any account is let in', () => {
  const strangers = [
    `arn:aws:iam::${CUSTOMER}:root`,
    `arn:aws:iam::${CUSTOMER}:role/auditor`,
    `arn:aws:iam::${CUSTOMER}:role/lockzero-reader-2`,
    'arn:aws:iam::777788889999:role/lockzero-reader',
    `arn:aws:iam::${ACCOUNT}:role/Administrator`,
  ];
  for (const key of [...keysOf(WORKSPACE), ...keysOf(OTHER)]) {
    for (const principal of [auditor, tenantReader]) {
      for (const action of OTHERS) expect([action, mayOn(principal, action, key)]).toEqual([action, false]);
    }
    for (const principal of strangers) {
      for (const action of [...READS, ...OTHERS])
        expect([principal, action, mayOn(principal, action, key)]).toEqual([principal, action, false]);
    }
  }
  for (const principal of strangers) {
    for (const action of LISTS) expect(mayList(principal, action, `log/${WORKSPACE}/`)).toBe(false);
  }
});

test('plain HTTP is refused to readers, too', () => {
  const [key = ''] = keysOf(WORKSPACE);
  const request = { principal: tenantReader, action: 's3:GetObject', resource: `${archive.arn}/${key}` };
  const context = { ...secure, 'aws:SecureTransport': 'false' };
  expect(evaluate(archive.statements, { ...request, context })).toBe('denied');
});

test('no other bucket lets a reader in', () => {
  for (const [arn, statements] of deployment.buckets) {
    if (arn === archive.arn) continue;
    for (const principal of [auditor, tenantReader]) {
      for (const action of [...READS, ...LISTS]) {
        for (const resource of [arn, `${arn}/AWSLogs/x`]) {
          const decision = evaluate(statements, { principal, action, resource, context: secure });
          expect([arn, action, decision]).toEqual([arn, action, 'not allowed']);
        }
      }
    }
  }
});

describe('the copy in another region', () => {
  const copyName = `lockzero-production-copy-${ACCOUNT}-us-west-2`;
  const copy = policyOf(deployment, new RegExp(copyName));
  const copier = `arn:aws:iam::${ACCOUNT}:role/lockzero-production-us-east-1-archive-copy`;

  test('is there only where a stage asks for it', () => {
    const { archiveCopy, data } = synthAll(findStage('production'));
    expect(archiveCopy).toBeUndefined();
    expect(JSON.stringify(data?.toJSON())).not.toContain('ReplicationConfiguration');
  });

  test('gets every new version of the archive with its lock, and no removal', () => {
    const [, bucket] =
      (templates.data &&
        resourcesOf(templates.data, 'AWS::S3::Bucket').find(([id]) => id.startsWith('Archive'))) ??
      [];
    expect(bucket?.Properties['ReplicationConfiguration']).toMatchObject({
      Rules: [
        {
          Status: 'Enabled',
          Filter: { Prefix: '' },
          DeleteMarkerReplication: { Status: 'Disabled' },
          Destination: { Metrics: { Status: 'Enabled' } },
        },
      ],
    });
    const statements = deployment.roles.get('lockzero-production-us-east-1-archive-copy')?.statements ?? [];
    const can = (action: string, resource: string) =>
      evaluate(statements, { principal: copier, action, resource }) === 'allowed';
    for (const action of [
      's3:GetObjectVersionForReplication',
      's3:GetObjectRetention',
      's3:GetObjectLegalHold',
    ])
      expect(can(action, `${archive.arn}/log/x`)).toBe(true);
    expect(can('s3:ReplicateObject', `${copy.arn}/log/x`)).toBe(true);
    for (const action of ['s3:ReplicateDelete', 's3:PutObject', 's3:DeleteObjectVersion'])
      for (const { arn } of [archive, copy]) expect(can(action, `${arn}/log/x`)).toBe(false);
    expect(can('s3:ReplicateObject', `${archive.arn}/log/x`)).toBe(false);
  });

  test('is locked like the archive, and written by nobody but S3’s replication', () => {
    const [, bucket] =
      (templates.archiveCopy &&
        resourcesOf(templates.archiveCopy, 'AWS::S3::Bucket').find(([id]) => id.startsWith('Copy'))) ??
      [];
    expect(bucket?.Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2557 } } },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    expect(bucket?.DeletionPolicy).toBe('Retain');
    const decide = (principal: string, action: string) =>
      evaluate(copy.statements, { principal, action, resource: `${copy.arn}/log/x`, context: secure });
    const administrator = `arn:aws:iam::${ACCOUNT}:role/Administrator`;
    expect(decide(copier, 's3:ReplicateObject')).toBe('not allowed');
    for (const action of [
      's3:ReplicateObject',
      's3:PutObject',
      's3:DeleteObjectVersion',
      's3:ReplicateDelete',
    ])
      expect([action, decide(administrator, action)]).toEqual([action, 'denied']);
    expect(decide(copier, 's3:DeleteObjectVersion')).toBe('denied');
  });

  test('tells when an object could not be copied', () => {
    templates.watch?.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'lockzero-production-archive-copy-failures',
      Namespace: 'AWS/S3',
      MetricName: 'OperationsFailedReplication',
    });
  });
});
