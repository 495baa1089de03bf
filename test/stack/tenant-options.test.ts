import { StageError } from '../../lib/stage.ts';
import { findTenant, refuseUnknownOptions } from '../../lib/tenant.ts';
import { deploy } from './deployment.ts';
import { CUSTOMER } from './key-users.ts';
import { ACCOUNT } from './policy.ts';
import { emptyApp } from './synth.ts';
import { acme, bus, type Options, reader, tenantOf, valueKey } from './tenant-of.ts';

const find = (options: Options) => findTenant((name) => options[name]);

describe('the options of a tenant', () => {
  test('name is and key are enough: like production, under the customer’s key, on the largest plan', () => {
    expect(tenantOf(acme)).toMatchObject({
      name: 'acme',
      region: 'us-east-1',
      archive: { mode: 'COMPLIANCE', retentionDays: 2557 },
      removal: 'retain',
      fips: false,
      recovery: false,
      monthlyBudgetUsd: 500,
      tenantKeyArn: valueKey('us-east-1'),
      defaultPlan: 'enterprise',
      earlierTenantKeyArns: [],
      secretsKeys: [1],
      customerKeyAccounts: [],
      archiveReaders: [],
      syncAccounts: [],
      customerTrail: {},
    });
    expect(tenantOf(acme)).not.toHaveProperty('replicateArchiveTo');
  });

  test('all of them find their place', () => {
    const all = {
      ...acme,
      byokKeyArn: valueKey('eu-central-1'),
      earlierByokKeyArn: `${valueKey('eu-central-1', '777788889999')},${valueKey('eu-central-1', ACCOUNT)}`,
      region: 'eu-central-1',
      account: ACCOUNT,
      compliance: 'false',
      replicateArchiveTo: 'eu-west-1',
      archiveReader: reader,
      trailBucket: 'acme-trail',
      eventBusArn: bus,
      syncAccounts: `${CUSTOMER},777788889999`,
      domain: 'vault.acme.example',
      certificateArn: `arn:aws:acm:eu-central-1:${ACCOUNT}:certificate/0a1b`,
      mailFrom: 'vault@acme.example',
      alarmEmail: 'oncall@acme.example',
      recovery: 'true',
      monthlyBudgetUsd: '1500',
      signingKeys: '2,1',
      secretsKeys: '3',
    };
    expect(tenantOf(all)).toMatchObject({
      region: 'eu-central-1',
      account: ACCOUNT,
      tenantKeyArn: valueKey('eu-central-1'),
      earlierTenantKeyArns: [valueKey('eu-central-1', '777788889999'), valueKey('eu-central-1', ACCOUNT)],
      replicateArchiveTo: 'eu-west-1',
      archiveReaders: [{ roleArn: reader }],
      customerTrail: { bucketName: 'acme-trail', eventBusArn: bus },
      syncAccounts: [CUSTOMER, '777788889999'],
      domain: { name: 'vault.acme.example', certificateArn: all.certificateArn },
      mail: { from: 'vault@acme.example' },
      alarmEmails: ['oncall@acme.example'],
      recovery: true,
      monthlyBudgetUsd: 1500,
      signingKeys: [2, 1],
      secretsKeys: [3],
    });
  });

  test('compliance means FIPS where the region has it', () => {
    const fipsIn = (region: string) =>
      tenantOf({ tenant: 'acme', region, byokKeyArn: valueKey(region), compliance: 'true' }).fips;
    expect(['us-east-1', 'ca-central-1', 'us-gov-west-1'].map(fipsIn)).toEqual([true, true, true]);
    expect(['eu-central-1', 'ap-southeast-1'].map(fipsIn)).toEqual([false, false]);
  });

  test('a budget is what is said, or what a stage has in the region', () => {
    const budgetOf = (region: string, more: Options = {}) =>
      tenantOf({ tenant: 'acme', region, byokKeyArn: valueKey(region), ...more }).monthlyBudgetUsd;
    expect(['us-east-1', 'us-gov-west-1', 'eu-north-1'].map((region) => budgetOf(region))).toEqual([
      500, 0, 0,
    ]);
    expect(
      ['0', 0, '10000000'].map((monthlyBudgetUsd) => budgetOf('us-east-1', { monthlyBudgetUsd })),
    ).toEqual([0, 0, 10_000_000]);
    expect(budgetOf('us-gov-west-1', { monthlyBudgetUsd: '0' })).toBe(0);
  });

  test('recovery adds the role that restores, and asks the customer to let it open samples', () => {
    const of = (recovery: string) => deploy(tenantOf({ ...acme, recovery }));
    const restoring = [of('false'), of('true')].map(({ roles, outputs }) => [
      roles.has('lockzero-acme-us-east-1-restore'),
      outputs.has('TenantKeyStatementOpensRestoredSamples'),
    ]);
    expect(restoring).toEqual([
      [false, false],
      [true, true],
    ]);
  });

  test('accounts to copy secrets to go with FIPS where STS has it, and without it in Canada', () => {
    const syncAccountsIn = (region: string, compliance: string) =>
      tenantOf({
        tenant: 'acme',
        region,
        byokKeyArn: valueKey(region),
        compliance,
        syncAccounts: CUSTOMER,
      }).syncAccounts;
    expect(syncAccountsIn('us-gov-west-1', 'true')).toEqual([CUSTOMER]);
    expect(syncAccountsIn('ca-central-1', 'false')).toEqual([CUSTOMER]);
  });

  test('a command without any of them means a stage', () => {
    expect(find({})).toBeUndefined();
    expect(find({ stage: 'production' })).toBeUndefined();
    expect(find({ witness: 'witness' })).toBeUndefined();
  });

  test.each<[string, Options, string]>([
    ['no key', { tenant: 'acme' }, 'A tenant needs its customer’s key: name it with -c byokKeyArn='],
    [
      'a key without a tenant',
      { byokKeyArn: valueKey('us-east-1') },
      '-c byokKeyArn goes with -c tenant=<name> only',
    ],
    [
      'a region for a stage',
      { stage: 'production', region: 'eu-west-1' },
      '-c region goes with -c tenant=<name>',
    ],
    ['a stage besides', { ...acme, stage: 'production' }, '-c tenant and -c stage do not go together'],
    ['a witness besides', { ...acme, witness: 'witness' }, '-c tenant and -c witness do not go together'],
    [
      'the name of a stage',
      { ...acme, tenant: 'production' },
      '-c tenant is the name of a stage: choose another.',
    ],
    ['a name too long', { ...acme, tenant: 'a'.repeat(21) }, '-c tenant must be 1 to 20 of a-z'],
    ['a name with capitals', { ...acme, tenant: 'Acme' }, '-c tenant must be 1 to 20 of a-z'],
    ['a tenant without a name', { ...acme, tenant: '' }, '-c tenant must be 1 to 20 of a-z'],
    [
      'a key of another region',
      { ...acme, byokKeyArn: valueKey('eu-central-1') },
      '-c byokKeyArn is a key in eu-central-1 and the tenant goes to us-east-1: choose the region with -c region=eu-central-1, or name a replica of the key in us-east-1.',
    ],
    [
      'an alias',
      { ...acme, byokKeyArn: `arn:aws:kms:us-east-1:${CUSTOMER}:alias/acme` },
      '-c byokKeyArn must be the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>, and not of an alias.',
    ],
    [
      'a pattern of keys',
      { ...acme, byokKeyArn: `arn:aws:kms:us-east-1:${CUSTOMER}:key/*` },
      '-c byokKeyArn must be',
    ],
    [
      'an earlier key of another region',
      { ...acme, earlierByokKeyArn: valueKey('eu-central-1') },
      '-c earlierByokKeyArn must be keys in us-east-1, where the tenant goes.',
    ],
    [
      'an earlier key that is the present one',
      { ...acme, earlierByokKeyArn: acme.byokKeyArn },
      '-c earlierByokKeyArn must not name a key twice, nor the one of -c byokKeyArn.',
    ],
    [
      'an earlier key by its alias',
      { ...acme, earlierByokKeyArn: `${valueKey('us-east-1', ACCOUNT)},alias/acme` },
      '-c earlierByokKeyArn must be ARNs of KMS keys, 4 at most, separated by commas.',
    ],
    [
      'five earlier keys',
      { ...acme, earlierByokKeyArn: Array.from({ length: 5 }, () => valueKey('us-east-1')).join(',') },
      '-c earlierByokKeyArn must be ARNs of KMS keys, 4 at most, separated by commas.',
    ],
    [
      'an earlier key without a tenant',
      { earlierByokKeyArn: valueKey('us-east-1') },
      '-c earlierByokKeyArn goes with -c tenant=<name> only',
    ],
    ['no region', { ...acme, region: 'mars' }, '-c region must be an AWS region such as us-east-1.'],
    ['no account', { ...acme, account: '1' }, '-c account must be 12 digits.'],
    ['a vague compliance', { ...acme, compliance: 'yes' }, '-c compliance must be true or false.'],
    [
      'a reader that is a pattern',
      { ...acme, archiveReader: `arn:aws:iam::${CUSTOMER}:role/*` },
      '-c archiveReader',
    ],
    [
      'a reader that is an account',
      { ...acme, archiveReader: `arn:aws:iam::${CUSTOMER}:root` },
      '-c archiveReader',
    ],
    ['a bucket by ARN', { ...acme, trailBucket: 'arn:aws:s3:::acme' }, '-c trailBucket must be the name of'],
    [
      'a bus by name',
      { ...acme, eventBusArn: 'default' },
      '-c eventBusArn must be the ARN of an EventBridge',
    ],
    [
      'a copy at home',
      { ...acme, replicateArchiveTo: 'us-east-1' },
      '-c replicateArchiveTo must be another region.',
    ],
    ['keys that are no numbers', { ...acme, signingKeys: '[2,1]' }, '-c signingKeys must be numbers of keys'],
    ['a key twice', { ...acme, secretsKeys: '2,2' }, 'must not name a key twice'],
    [
      'accounts that are none',
      { ...acme, syncAccounts: '1,2' },
      '-c syncAccounts must be accounts of 12 digits',
    ],
    [
      'its own account to copy secrets to',
      { ...acme, account: ACCOUNT, syncAccounts: ACCOUNT },
      '-c syncAccounts must not name the account of the tenant itself.',
    ],
    [
      'accounts to copy secrets to where STS has no FIPS',
      {
        tenant: 'acme',
        region: 'ca-central-1',
        byokKeyArn: valueKey('ca-central-1'),
        compliance: 'true',
        syncAccounts: CUSTOMER,
      },
      '-c syncAccounts and -c compliance=true do not go together in ca-central-1: STS',
    ],
    [
      'a budget where CloudFormation has none',
      {
        tenant: 'acme',
        region: 'us-gov-west-1',
        byokKeyArn: valueKey('us-gov-west-1'),
        monthlyBudgetUsd: '500',
      },
      'like this: -c monthlyBudgetUsd must be 0 or left out: CloudFormation has no AWS::Budgets::Budget in us-gov-west-1.',
    ],
    ...['', '1.5', '-1', 'many', '10000001', 1.5, true].map((monthlyBudgetUsd): [string, Options, string] => [
      `a budget of ${JSON.stringify(monthlyBudgetUsd)}`,
      { ...acme, monthlyBudgetUsd },
      '-c monthlyBudgetUsd must be a whole number of dollars, 10,000,000 at most.',
    ]),
    ['a vague recovery', { ...acme, recovery: 'yes' }, '-c recovery must be true or false.'],
    [
      'a domain alone',
      { ...acme, domain: 'vault.acme.example' },
      '-c domain and -c certificateArn go together.',
    ],
    [
      'two faults at once',
      { ...acme, tenant: 'production', region: 'mars' },
      'The tenant cannot be deployed like this: -c tenant is the name of a stage: choose another; -c region must be an AWS region such as us-east-1.',
    ],
  ])('%s is answered with one sentence', (_, options, message) => {
    expect(() => find(options)).toThrow(StageError);
    expect(() => find(options)).toThrow(message);
    try {
      find(options);
    } catch (error) {
      expect((error as Error).message).toMatch(/^[^\n]+\.$|<id>\.$/);
    }
  });
});

describe('an option that nobody reads', () => {
  test.each([['earlierByokKeyArns'], ['colour'], ['colour', 'fips']])('%p is refused', (...names) => {
    const refusing = () => refuseUnknownOptions(['tenant', ...names]);
    expect(refusing).toThrow(StageError);
    expect(refusing).toThrow(
      `There is no option -c ${names.join(', -c ')}: lib/tenant.ts has those of a tenant, and a stage has its own in lib/stages.ts.`,
    );
  });

  test('is none of the command’s, nor of what CDK itself puts into the context', () => {
    const own = ['stage', 'witness', 'tenant', 'byokKeyArn', 'recovery', 'monthlyBudgetUsd'];
    const cdks = ['aws:cdk:bundling-stacks', '@aws-cdk/core:x', 'cli-telemetry'];
    expect(() => refuseUnknownOptions([...own, ...cdks])).not.toThrow();
    expect(() => refuseUnknownOptions(Object.keys(emptyApp().node.getAllContext()))).not.toThrow();
  });
});
