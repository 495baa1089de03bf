import { rmSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { CfnTopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { addLockzero } from '../../lib/lockzero.ts';
import { namesOf } from '../../lib/names.ts';
import { parseStage, type StageConfig, StageError, type StageInput } from '../../lib/stage.ts';
import { findStage, stageNames } from '../../lib/stages.ts';
import { largest } from './largest-stage.ts';
import { type AppOptions, emptyApp } from './synth.ts';
import { acme, bus, tenantOf, valueKey } from './tenant-of.ts';

const valid: StageInput = {
  name: 'test',
  archive: { mode: 'GOVERNANCE', retentionDays: 1 },
  logRetentionDays: 30,
};
const identity = (name: string, region = 'us-east-1', account = '111122223333') =>
  `arn:aws:ses:${region}:${account}:identity/${name}`;

const keyArn = (region: string) =>
  `arn:aws:kms:${region}:111122223333:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f`;

const tenant = tenantOf({
  ...acme,
  region: 'eu-central-1',
  byokKeyArn: valueKey('eu-central-1'),
  compliance: 'true',
});
const govCloud = tenantOf({
  ...acme,
  tenant: 'acme-gov',
  region: 'us-gov-west-1',
  byokKeyArn: valueKey('us-gov-west-1').replace('arn:aws:', 'arn:aws-us-gov:'),
  eventBusArn: bus.replace('arn:aws:', 'arn:aws-us-gov:').replace('eu-central-1', 'us-gov-west-1'),
  compliance: 'true',
});
const stages = [...stageNames.map(findStage), largest, tenant, govCloud];

/** With whatever else stands beside the stacks of a stage. */
function synthesize(options: AppOptions, stage: StageConfig, add: (scope: Construct) => void = () => {}) {
  const app = emptyApp(options);
  try {
    addLockzero(app, stage);
    add(app);
    app.synth();
  } finally {
    rmSync(app.outdir, { recursive: true });
  }
}

describe('cdk-nag and CloudFormation’s rules', () => {
  test.each(stages.map((stage) => [stage.name, stage] as const))(
    'find nothing unexplained in %s',
    (_name, stage) => {
      expect(() => synthesize({ hasRules: true }, stage)).not.toThrow();
    },
  );

  test('do find a careless bucket beside them', () => {
    const add = (scope: Construct) => new Bucket(new Stack(scope, 'Careless'), 'Bucket');
    expect(() => synthesize({}, findStage('development'), add)).toThrow(
      /AwsSolutions-S1[\s\S]*NIST\.800\.53\.R5-S3BucketVersioningEnabled/,
    );
  });

  test('do find a property that there is not', () => {
    const app = emptyApp({ hasRules: true });
    new CfnTopic(new Stack(app, 'Mistaken'), 'Topic').addPropertyOverride('TopicNaem', 'alerts');
    try {
      expect(() => app.synth()).toThrow(/TopicNaem/);
    } finally {
      rmSync(app.outdir, { recursive: true });
    }
  });
});

describe('findStage', () => {
  test('takes development where none is named, and knows the region of each', () => {
    expect(findStage(undefined)).toMatchObject({ name: 'development', region: 'us-east-1', fips: false });
    expect(findStage('production')).toMatchObject({ region: 'us-east-1', archive: { mode: 'COMPLIANCE' } });
    expect(findStage('production-eu')).toMatchObject({
      region: 'eu-central-1',
      archive: { mode: 'COMPLIANCE' },
    });
  });

  test.each(['prod', '', 7, '__proto__'])('answers %p with one sentence and the valid names', (name) => {
    expect(() => findStage(name)).toThrow(
      new StageError(
        `There is no stage ${JSON.stringify(name)}: choose development, production, production-eu with -c stage=<name>.`,
      ),
    );
  });
});

describe('parseStage', () => {
  test.each<[string, unknown, RegExp]>([
    ['an unknown field', { ...valid, colour: 'red' }, /colour/],
    ['a long name', { ...valid, name: 'a'.repeat(21) }, /name/],
    ['no region', { ...valid, region: 'mars' }, /region/],
    ['a retention that CloudWatch does not know', { ...valid, logRetentionDays: 31 }, /logRetentionDays/],
    [
      'a lock of no days',
      { ...valid, archive: { mode: 'GOVERNANCE', retentionDays: 0 } },
      /archive\.retentionDays/,
    ],
    [
      'FIPS in Europe',
      { ...valid, region: 'eu-central-1', fips: true },
      /fips: needs a region in the US or Canada/,
    ],
    [
      'FIPS in Canada with copies in other accounts, whose roles STS gives',
      { ...valid, region: 'ca-central-1', fips: true, syncAccounts: ['999988887777'] },
      /syncAccounts: must be empty with fips in Canada: STS, .* has no FIPS endpoint there/,
    ],
    [
      'a budget where CloudFormation has none',
      { ...valid, region: 'eu-north-1', monthlyBudgetUsd: 500 },
      /monthlyBudgetUsd: must be 0 or left out: CloudFormation has no AWS::Budgets::Budget in the region/,
    ],
    ['a budget of cents', { ...valid, monthlyBudgetUsd: 0.5 }, /monthlyBudgetUsd: must be a whole number/],
    [
      'tables destroyed beside a COMPLIANCE archive',
      { ...valid, archive: { mode: 'COMPLIANCE', retentionDays: 1 }, removal: 'destroy' },
      /removal/,
    ],
    [
      'a certificate of another region',
      {
        ...valid,
        domain: {
          name: 'vault.example.com',
          certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/a',
        },
      },
      /domain\.certificateArn: must be a certificate in the region of the stage/,
    ],
    ['a log name that is no host name', { ...valid, logName: 'My log' }, /logName: must be a host name/],
    [
      'a witness over plain HTTP',
      { ...valid, witnesses: [{ url: 'http://w.example.com', verifierKey: 'w+01234567+AAAA' }] },
      /witnesses\.0\.url: must be an https URL/,
    ],
    [
      'a witness without its key',
      { ...valid, witnesses: [{ url: 'https://w.example.com', verifierKey: 'w' }] },
      /witnesses\.0\.verifierKey: must be a verifier key/,
    ],
    ['no key that signs', { ...valid, signingKeys: [] }, /signingKeys/],
    ['a signing key of no number', { ...valid, signingKeys: [0] }, /signingKeys\.0/],
    [
      'a signing key named twice',
      { ...valid, signingKeys: [1, 2, 1] },
      /signingKeys: must not name a key twice/,
    ],
    ['mail from a name', { ...valid, mail: { from: 'Vault <vault@example.com>' } }, /mail\.from/],
    ['mail from a host in capitals', { ...valid, mail: { from: 'vault@EXAMPLE.com' } }, /mail\.from/],
    [
      'mail from an address with a character of policy variables',
      { ...valid, mail: { from: '$a@example.com' } },
      /mail\.from/,
    ],
    [
      'a wildcard for an identity',
      { ...valid, mail: { from: 'vault@example.com', identityArn: identity('*') } },
      /mail\.identityArn: must be the ARN of an SES identity/,
    ],
    ...['example.org', 'ample.com', 'sub.example.com', 'other@example.com', 'lt@example.com'].map(
      (name): [string, unknown, RegExp] => [
        `mail from vault@example.com by the identity ${name}`,
        { ...valid, mail: { from: 'vault@example.com', identityArn: identity(name) } },
        /mail\.identityArn: must name the address of `from`, its domain, or a domain above/,
      ],
    ),
    [
      'an identity of another region',
      { ...valid, mail: { from: 'vault@example.com', identityArn: identity('example.com', 'eu-west-1') } },
      /mail\.identityArn: must be an identity in the account and region of the stage/,
    ],
    [
      'an identity of another account',
      {
        ...valid,
        account: '999988887777',
        mail: { from: 'vault@example.com', identityArn: identity('example.com') },
      },
      /mail\.identityArn: must be an identity in the account and region of the stage/,
    ],
    ['no key for values', { ...valid, secretsKeys: [] }, /secretsKeys/],
    [
      'a key for values named twice',
      { ...valid, secretsKeys: [1, 1] },
      /secretsKeys: must not name a key twice/,
    ],
    ['a plan that is none', { ...valid, defaultPlan: 'gold' }, /defaultPlan/],
    [
      'an alias for a key',
      { ...valid, tenantKeyArn: 'alias/x' },
      /tenantKeyArn: must be the ARN of a KMS key/,
    ],
    [
      'a tenant’s key of another region',
      { ...valid, tenantKeyArn: keyArn('eu-west-1') },
      /tenantKeyArn: must be a key in the region of the stage/,
    ],
    [
      'a tenant’s earlier key of another region',
      {
        ...valid,
        tenantKeyArn: keyArn('us-east-1'),
        earlierTenantKeyArns: [keyArn('eu-west-1')],
      },
      /earlierTenantKeyArns\.0: must be a key in the region of the stage/,
    ],
    [
      'an earlier key that is the present one',
      { ...valid, tenantKeyArn: keyArn('us-east-1'), earlierTenantKeyArns: [keyArn('us-east-1')] },
      /earlierTenantKeyArns: must not name tenantKeyArn/,
    ],
    [
      'an earlier key named twice',
      { ...valid, earlierTenantKeyArns: [keyArn('us-east-1'), keyArn('us-east-1')] },
      /earlierTenantKeyArns: must not name a key twice/,
    ],
    [
      'an earlier key of nobody’s customer',
      { ...valid, earlierTenantKeyArns: [keyArn('us-east-1')] },
      /earlierTenantKeyArns: needs tenantKeyArn/,
    ],
    [
      'a granted key of another account',
      {
        ...valid,
        account: '999988887777',
        grantedKeys: [{ workspaceId: `ws_${'0'.repeat(32)}`, keyArn: keyArn('us-east-1') }],
      },
      /grantedKeys\.0\.keyArn: must be a key in the account and region of the stage/,
    ],
    [
      'a key granted to no workspace',
      { ...valid, grantedKeys: [{ workspaceId: '*', keyArn: keyArn('us-east-1') }] },
      /grantedKeys\.0\.workspaceId: must be the id of a workspace/,
    ],
    [
      'keys of its own account brought by workspaces',
      { ...valid, account: '999988887777', customerKeyAccounts: ['999988887777'] },
      /customerKeyAccounts: must not name the account of the stage/,
    ],
    [
      'its own account to copy secrets to',
      { ...valid, account: '999988887777', syncAccounts: ['999988887777'] },
      /syncAccounts: must not name the account of the stage/,
    ],
    [
      'a copy of the archive in the same region',
      { ...valid, replicateArchiveTo: 'us-east-1' },
      /replicateArchiveTo: must be another region/,
    ],
    [
      'a reader of the archive that is a pattern',
      { ...valid, archiveReaders: [{ roleArn: 'arn:aws:iam::111122223333:role/*' }] },
      /archiveReaders\.0\.roleArn: must be the ARN of one IAM role/,
    ],
    ['a trail for nobody’s customer', { ...valid, customerTrail: {} }, /customerTrail: needs tenantKeyArn/],
  ])('refuses %s', (_, input, message) => {
    expect(() => parseStage(input)).toThrow(StageError);
    expect(() => parseStage(input)).toThrow(message);
  });

  test.each(['vault@mail.example.com', 'mail.example.com', 'example.com'])(
    'takes the identity %s for mail from vault@mail.example.com',
    (name) => {
      const mail = { from: 'vault@mail.example.com', identityArn: identity(name) };
      expect(parseStage({ ...valid, mail })).toMatchObject({ mail });
    },
  );

  test('has a budget wherever CloudFormation can make one, unless it says otherwise', () => {
    const budgetIn = (region: string, more: object = {}) =>
      parseStage({ ...valid, region, ...more }).monthlyBudgetUsd;
    expect(['us-east-1', 'eu-central-1', 'ca-central-1'].map((region) => budgetIn(region))).toEqual([
      500, 500, 500,
    ]);
    const without = ['us-gov-west-1', 'ca-west-1', 'eu-north-1', 'me-central-1'];
    expect(without.map((region) => budgetIn(region))).toEqual([0, 0, 0, 0]);
    expect(budgetIn('us-gov-west-1', { monthlyBudgetUsd: 0 })).toBe(0);
    expect(budgetIn('us-east-1', { monthlyBudgetUsd: 1500 })).toBe(1500);
  });

  test('copies secrets to other accounts in Canada without FIPS, and with it in the US', () => {
    const syncAccounts = ['999988887777'];
    expect(parseStage({ ...valid, region: 'ca-central-1', syncAccounts })).toMatchObject({ syncAccounts });
    expect(parseStage({ ...valid, fips: true, syncAccounts })).toMatchObject({ syncAccounts });
  });

  test('signs with key 1 and sends no mail where nothing else is said', () => {
    expect(parseStage(valid).signingKeys).toEqual([1]);
    expect(parseStage(valid)).not.toHaveProperty('mail');
  });

  test('takes no key of a customer, on the smallest plan, where nothing else is said', () => {
    expect(parseStage(valid)).toMatchObject({
      secretsKeys: [1],
      customerKeyAccounts: [],
      grantedKeys: [],
      defaultPlan: 'standard',
      archiveReaders: [],
      syncAccounts: [],
    });
    for (const name of ['tenantKeyArn', 'customerTrail', 'replicateArchiveTo'])
      expect(parseStage(valid)).not.toHaveProperty(name);
  });

  test('names its logs after what cannot change, unless they have a name', () => {
    const stage = parseStage({ ...valid, account: '111122223333' });
    expect(namesOf(stage).logName).toBe('lockzero-test.us-east-1.111122223333');
    expect(namesOf({ ...stage, logName: 'log.example.com' }).logName).toBe('log.example.com');
  });
});
