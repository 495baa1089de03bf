import { readFileSync } from 'node:fs';
import { FUNCTION_NAMES } from '../../lib/names.ts';
import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { resolve } from './policy.ts';
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

  test('notice the silence of every schedule', () => {
    const schedules = Object.values(templates).flatMap((template) =>
      resourcesOf(template, 'AWS::Scheduler::Schedule'),
    );
    const silences = alarms.filter(({ AlarmName }) => AlarmName.endsWith('-silence'));
    expect(silences).toHaveLength(schedules.length);
    for (const silence of silences) {
      expect(silence).toMatchObject({ TreatMissingData: 'breaching', MetricName: 'Invocations' });
      // CloudWatch looks back over a day at most, or over a week in periods of an hour or more.
      const span = silence.Period * silence.EvaluationPeriods;
      expect(span <= 86_400 || (silence.Period >= 3_600 && span <= 7 * 86_400)).toBe(true);
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

  test('may be published by CloudWatch and EventBridge of this account, over TLS', () => {
    const { PolicyDocument: document } = only('AWS::SNS::TopicPolicy').Properties as {
      PolicyDocument: { Statement: { Effect: string; Principal: { Service?: string } }[] };
    };
    const allowed = document.Statement.filter(({ Effect }) => Effect === 'Allow');
    expect(new Set(allowed.map(({ Principal }) => Principal.Service))).toEqual(
      new Set(['cloudwatch.amazonaws.com', 'events.amazonaws.com']),
    );
    expect(document.Statement.some(({ Effect }) => Effect === 'Deny')).toBe(true);
  });

  test('reach those who are named in the stage, who also hear of the bill', () => {
    const stage = parseStage({
      ...findStage('production'),
      alarmEmails: ['oncall@example.com'],
      monthlyBudgetUsd: 200,
    });
    const { watch: told } = synth(stage);
    expect(resourcesOf(told, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties)).toEqual([
      expect.objectContaining({ Protocol: 'email', Endpoint: 'oncall@example.com' }),
    ]);
    const [[, budget] = []] = resourcesOf(told, 'AWS::Budgets::Budget');
    expect(budget?.Properties).toMatchObject({
      Budget: { BudgetLimit: { Amount: 200, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
    });
    expect(() => parseStage({ ...findStage('production'), monthlyBudgetUsd: 200 })).toThrow('alarmEmails');
  });
});

test('whoever blinds the call log, a key or a table is told of at once', () => {
  const rules = resourcesOf(watch, 'AWS::Events::Rule').map(([, { Properties }]) => Properties);
  const calls = rules.flatMap(
    ({ EventPattern }) => (EventPattern as { detail: { eventName: string[] } }).detail.eventName,
  );
  expect(calls).toEqual(
    expect.arrayContaining(['StopLogging', 'DisableKey', 'ScheduleKeyDeletion', 'DeleteTable']),
  );
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
});

describe('snapshots', () => {
  test('are taken of both tables every hour and kept for 30 days, which nobody can shorten', () => {
    const plan = only('AWS::Backup::BackupPlan').Properties['BackupPlan'];
    expect(plan).toMatchObject({
      BackupPlanRule: [{ ScheduleExpression: 'cron(30 * * * ? *)', Lifecycle: { DeleteAfterDays: 30 } }],
    });
    expect(only('AWS::Backup::BackupVault').Properties).toMatchObject({
      LockConfiguration: { MinRetentionDays: 30 },
    });
    const { BackupSelection: selection } = only('AWS::Backup::BackupSelection').Properties as {
      BackupSelection: { Resources: readonly unknown[] };
    };
    const resources = JSON.stringify(resolve(selection.Resources));
    expect(selection.Resources).toHaveLength(2);
    for (const table of ['Vault', 'Audit']) expect(resources).toContain(table);
  });
});
