import { readFileSync } from 'node:fs';
import { FUNCTION_NAMES } from '../../lib/names.ts';
import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { ACCOUNT, evaluate, resolve, type Statement } from './policy.ts';
import { type Resource, resourcesOf, synth } from './synth.ts';

const templates = synth(findStage('production'));
const { watch } = templates;

interface AlarmProperties {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Threshold: number;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
}

const alarms = resourcesOf(watch, 'AWS::CloudWatch::Alarm').map(
  ([, { Properties }]) => Properties as unknown as AlarmProperties,
);

function alarm(name: string): AlarmProperties {
  const found = alarms.find(({ AlarmName }) => AlarmName === `lockzero-production-${name}`);
  if (found === undefined) throw new Error(`There is no alarm ${name}.`);
  return found;
}

function only(type: string): Resource {
  const [found, ...others] = resourcesOf(watch, type);
  if (found === undefined || others.length > 0) throw new Error(`There is not exactly one ${type}.`);
  return found[1];
}

const functions = Object.values(templates).flatMap((template) =>
  resourcesOf(template, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties),
);
const named = functions.filter(({ FunctionName: name }) => String(name).startsWith('lockzero-production-'));
const nameOf = (properties: Record<string, unknown>): string =>
  String(properties['FunctionName']).replace('lockzero-production-', '');

describe('alarms', () => {
  test('watch the errors, throttles and duration of every function that there is', () => {
    // Nobody’s certificates are watched unless the stage names domains.
    expect([...named.map(nameOf), 'ct-monitor'].sort()).toEqual([...FUNCTION_NAMES].sort());
    for (const properties of named) {
      const name = nameOf(properties);
      expect([alarm(`${name}-errors`).Threshold, alarm(`${name}-throttles`).Threshold]).toEqual([1, 1]);
      expect(alarm(`${name}-duration`).Threshold).toBe(Number(properties['Timeout']) * 1000 * 0.8);
    }
  });

  test('ring for a slow run, however seldom it runs', () => {
    // A daily run is one data point, and what is missing is no breach: of two periods in a row, one is always good.
    for (const name of ['purge', 'snapshot', 'backup', 'reconciler', 'probe'])
      expect([name, alarm(`${name}-duration`).EvaluationPeriods]).toEqual([name, 1]);
    for (const name of ['api', 'guard', 'sealer', 'anomaly'])
      expect([name, alarm(`${name}-duration`).EvaluationPeriods]).toEqual([name, 2]);
  });

  test('have periods, and look back, as CloudWatch allows', () => {
    for (const { AlarmName, Period, EvaluationPeriods } of alarms) {
      const span = Period * EvaluationPeriods;
      expect([AlarmName, Period % 60]).toEqual([AlarmName, 0]);
      expect([AlarmName, span <= 86_400 || (Period >= 3_600 && span <= 7 * 86_400)]).toEqual([
        AlarmName,
        true,
      ]);
    }
  });

  test('notice the silence of every schedule', () => {
    const schedules = Object.values(templates).flatMap((template) =>
      resourcesOf(template, 'AWS::Scheduler::Schedule'),
    );
    const silences = alarms.filter(({ AlarmName }) => AlarmName.endsWith('-silence'));
    expect(silences).toHaveLength(schedules.length);
    for (const silence of silences) {
      expect(silence).toMatchObject({ TreatMissingData: 'breaching', MetricName: 'Invocations' });
    }
    expect(alarm('purge-silence')).toMatchObject({ Period: 3_600, EvaluationPeriods: 26 });
    expect(alarm('tally-silence')).toMatchObject({ Period: 900, EvaluationPeriods: 1 });
  });

  test('watch the lag of streams and queues, and what nobody could handle', () => {
    for (const name of ['guard-lag', 'dispatcher-lag']) expect(alarm(name).Threshold).toBe(300_000);
    for (const name of ['seal-queue-age', 'delivery-queue-age']) expect(alarm(name).Threshold).toBe(300);
    const deadLetters = alarms.filter(({ AlarmName }) => AlarmName.endsWith('-messages'));
    const dead = Object.values(templates)
      .flatMap((template) => resourcesOf(template, 'AWS::SQS::Queue'))
      .filter(([id]) => /FailedRuns|DeadLetters/.test(id));
    expect(deadLetters).toHaveLength(dead.length);
  });

  test('watch what the vault says of itself, the API, and the key for values', () => {
    expect(alarm('critical-alerts')).toMatchObject({ Period: 60, EvaluationPeriods: 1, Threshold: 1 });
    expect(alarm('backup-age').Threshold).toBe(25 * 3600);
    expect(alarm('canary').TreatMissingData).toBe('breaching');
    expect(alarm('api-5xx').Dimensions).toEqual([
      { Name: 'ApiName', Value: 'lockzero-production' },
      { Name: 'Stage', Value: 'live' },
    ]);
    expect(alarm('kms-decrypts')).toMatchObject({ Threshold: 10_000, Period: 3_600 });
  });

  test('watch each key for values that is in use', () => {
    const { watch: rotating } = synth(parseStage({ ...findStage('production'), secretsKeys: [2, 1] }));
    const rules = resourcesOf(rotating, 'AWS::CloudWatch::Alarm')
      .map(([, { Properties }]) => Properties as unknown as AlarmProperties)
      .filter(({ AlarmName }) => AlarmName.startsWith('lockzero-production-kms-'));
    const keyOf = ({ AlarmName, Dimensions }: AlarmProperties) => [
      AlarmName.replace('lockzero-production-', ''),
      /Secrets\d*Key/.exec(JSON.stringify(Dimensions))?.[0],
    ];
    expect(rules.map(keyOf)).toEqual([
      ['kms-decrypts-2', 'Secrets2Key'],
      ['kms-decrypts', 'SecretsKey'],
    ]);
    for (const rule of rules) expect(rule).toMatchObject({ Threshold: 10_000, Period: 3_600 });
  });

  test('all go to the one topic, and each leads to a section that the runbook has', () => {
    const headings = readFileSync('docs/RUNBOOK.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('## '))
      .map((line) =>
        line
          .slice(3)
          .toLowerCase()
          .replace(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      );
    for (const { AlarmActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toEqual([{ Ref: expect.stringMatching(/^AlarmTopic/) }]);
      const [, anchor = ''] = /docs\/RUNBOOK\.md#([a-z0-9-]+)$/.exec(AlarmDescription) ?? [];
      expect(headings).toContain(anchor);
    }
  });

  test('may be published by CloudWatch, EventBridge and Budgets, over TLS', () => {
    const { PolicyDocument: document } = only('AWS::SNS::TopicPolicy').Properties as {
      PolicyDocument: { Statement: { Effect: string; Principal: { Service?: string } }[] };
    };
    const allowed = document.Statement.filter(({ Effect }) => Effect === 'Allow');
    expect(new Set(allowed.map(({ Principal }) => Principal.Service))).toEqual(
      new Set(['cloudwatch.amazonaws.com', 'events.amazonaws.com', 'budgets.amazonaws.com']),
    );
    expect(document.Statement.some(({ Effect }) => Effect === 'Deny')).toBe(true);
  });

  test('tell of the bill, unless the stage says that somebody else does', () => {
    expect(only('AWS::Budgets::Budget').Properties).toMatchObject({
      Budget: { BudgetLimit: { Amount: 500, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
      NotificationsWithSubscribers: ['ACTUAL', 'FORECASTED'].map((NotificationType) => ({
        Notification: { NotificationType },
        Subscribers: [{ SubscriptionType: 'SNS', Address: { Ref: expect.stringMatching(/^AlarmTopic/) } }],
      })),
    });
    const { watch: unwatched, keys: unwatchedKeys } = synth(
      parseStage({ ...findStage('production'), monthlyBudgetUsd: 0 }),
    );
    expect(resourcesOf(unwatched, 'AWS::Budgets::Budget')).toEqual([]);
    expect(JSON.stringify(unwatchedKeys.toJSON())).not.toContain('budgets.amazonaws.com');
  });

  test('reach those who are named in the stage', () => {
    const { watch: told } = synth(
      parseStage({ ...findStage('production'), alarmEmails: ['oncall@example.com'] }),
    );
    expect(resourcesOf(told, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties)).toEqual([
      expect.objectContaining({ Protocol: 'email', Endpoint: 'oncall@example.com' }),
    ]);
  });
});

test('whoever blinds the call log, a key or a table is told of at once', () => {
  const rules = resourcesOf(watch, 'AWS::Events::Rule').map(([, { Properties }]) => Properties);
  const calls = rules.flatMap(
    ({ EventPattern }) => (EventPattern as { detail: { eventName: string[] } }).detail.eventName,
  );
  expect(calls).toEqual(
    expect.arrayContaining([
      'StopLogging',
      'DisableKey',
      'ScheduleKeyDeletion',
      'DeleteTable',
      'DeleteResourcePolicy',
      'DeleteRecoveryPoint',
      'PutKeyPolicy',
      'PutBucketPolicy',
    ]),
  );
  const ofBuckets = rules.find(({ Name: name }) => name === 'lockzero-production-s3-changes');
  expect(ofBuckets?.['EventPattern']).toMatchObject({
    detail: { requestParameters: { bucketName: [{ prefix: 'lockzero-production-' }] } },
  });
  for (const { Targets } of rules)
    expect(Targets).toEqual([
      expect.objectContaining({ Arn: { Ref: expect.stringMatching(/^AlarmTopic/) } }),
    ]);
});

describe('the call log', () => {
  test('has every region’s calls, with digests, and nobody can change it', () => {
    expect(only('AWS::CloudTrail::Trail').Properties).toMatchObject({
      EnableLogFileValidation: true,
      IsMultiRegionTrail: true,
      IncludeGlobalServiceEvents: true,
      IsLogging: true,
    });
    const bucket = only('AWS::S3::Bucket');
    expect(bucket.Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 365 } } },
      VersioningConfiguration: { Status: 'Enabled' },
    });
    expect(bucket.DeletionPolicy).toBe('Retain');
  });

  const decisionIn = (
    template: typeof watch,
    action: string,
    principal: string,
    { source, folder = 'CloudTrail' }: { readonly source?: string; readonly folder?: string } = {},
  ) => {
    const [[, policy] = []] = resourcesOf(template, 'AWS::S3::BucketPolicy');
    const document = policy?.Properties['PolicyDocument'] as { Statement: Statement[] } | undefined;
    if (document === undefined) throw new Error('There is no bucket policy.');
    const [bucket] = resourcesOf(template, 'AWS::S3::Bucket')[0] ?? [];
    const resource = `${bucket}.Arn/AWSLogs/${ACCOUNT}/${folder}/us-east-1/2026/11/22/file.json.gz`;
    const isService = String(principal.endsWith('.amazonaws.com'));
    const context = {
      'aws:SecureTransport': 'true',
      's3:TlsVersion': '1.3',
      's3:x-amz-acl': 'bucket-owner-full-control',
      'aws:PrincipalIsAWSService': isService,
      ...(source === undefined ? {} : { 'aws:SourceArn': source }),
    };
    return evaluate(document.Statement, { principal, action, resource, context });
  };
  const administrator = `arn:aws:iam::${ACCOUNT}:role/administrator`;

  test('is written by CloudTrail alone, and nobody hides a file of it', () => {
    expect(decisionIn(watch, 's3:PutObject', 'logging.s3.amazonaws.com')).toBe('not allowed');
    for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion'])
      expect([action, decisionIn(watch, action, administrator)]).toEqual([action, 'denied']);
  });

  test.each(['development', 'production'])('takes files of the trail of %s, and of no other', (name) => {
    const { watch: template } = synth(findStage(name));
    const decide = (source?: string, folder?: string) =>
      decisionIn(template, 's3:PutObject', 'cloudtrail.amazonaws.com', {
        ...(source === undefined ? {} : { source }),
        ...(folder === undefined ? {} : { folder }),
      });
    const own = `arn:aws:cloudtrail:us-east-1:${ACCOUNT}:trail/lockzero-${name}`;
    for (const folder of ['CloudTrail', 'CloudTrail-Digest']) expect(decide(own, folder)).toBe('allowed');
    // A trail may have whatever prefix its owner likes, such as the folder of this one.
    const prefixed = 'CloudTrail/us-east-1/2026/11/22/AWSLogs/999988887777/CloudTrail';
    for (const foreign of [own.replace(ACCOUNT, '999988887777'), `${own}-customer`, undefined])
      for (const folder of ['CloudTrail', prefixed]) expect(decide(foreign, folder)).toBe('denied');
  });

  test('of a stage that is thrown away can be removed, and not rewritten', () => {
    const { watch: development } = synth(findStage('development'));
    expect(decisionIn(development, 's3:DeleteObjectVersion', administrator)).toBe('not allowed');
    expect(decisionIn(development, 's3:PutObject', administrator)).toBe('denied');
    expect(resourcesOf(development, 'AWS::Backup::BackupVault')[0]?.[1].Properties).not.toHaveProperty(
      'LockConfiguration',
    );
  });
});

describe('snapshots', () => {
  test('are taken of both tables every hour and kept for 30 days, which nobody can shorten', () => {
    const plan = only('AWS::Backup::BackupPlan').Properties['BackupPlan'];
    expect(plan).toMatchObject({
      BackupPlanRule: [{ ScheduleExpression: 'cron(30 * * * ? *)', Lifecycle: { DeleteAfterDays: 30 } }],
    });
    expect(only('AWS::Backup::BackupVault').Properties).toMatchObject({
      // Without the days of grace the lock is one that an administrator can take off at any time.
      LockConfiguration: { MinRetentionDays: 30, ChangeableForDays: 3 },
    });
    const { BackupSelection: selection } = only('AWS::Backup::BackupSelection').Properties as {
      BackupSelection: { Resources: readonly unknown[] };
    };
    const resources = JSON.stringify(resolve(selection.Resources));
    expect(selection.Resources).toHaveLength(2);
    for (const table of ['Vault', 'Audit']) expect(resources).toContain(table);
  });

  test('come back by the same role, while the stage recovers', () => {
    const policiesOf = (template: typeof watch): string => {
      const [, role] =
        resourcesOf(template, 'AWS::IAM::Role').find(([id]) => id.startsWith('Snapshots')) ?? [];
      return JSON.stringify(role?.Properties['ManagedPolicyArns']);
    };
    expect(policiesOf(watch)).not.toContain('PolicyForRestores');
    const { watch: recovering } = synth({ ...findStage('production'), recovery: true });
    expect(policiesOf(recovering)).toContain('AWSBackupServiceRolePolicyForRestores');
  });
});
