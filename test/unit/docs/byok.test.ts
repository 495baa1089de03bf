import { rmSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import { CfnBackupPlan } from 'aws-cdk-lib/aws-backup';
import { CfnGlobalTable } from 'aws-cdk-lib/aws-dynamodb';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import {
  BLOCKED_PAUSE_MS,
  DRAIN_MS,
  LIST_LAG_MS,
  ROLLOUT_MS,
} from '../../../core/encryption-keys/migration-parts.ts';
import { MAX_PREVIOUS_KEYS } from '../../../core/workspaces/workspace.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { ApiStack } from '../../../lib/api-stack.ts';
import { DataStack } from '../../../lib/data-stack.ts';
import { JobsStack } from '../../../lib/jobs-stack.ts';
import { findTenant } from '../../../lib/tenant.ts';
import { tenantKeyPolicy } from '../../../lib/value-keys.ts';
import { Snapshots } from '../../../lib/watch/snapshots.ts';
import { RHYTHMS } from '../../../local/rhythms.ts';
import { emptyApp } from '../../stack/synth.ts';
import { named, prose, read, tableRows } from './pages.ts';

const PAGE = 'docs/byok.md';
const MINUTE_MS = 60_000;
const text = prose(read(PAGE));
/** The sentences that a page does not have: of a page that is long, a failure shows nothing else. */
const missing = (page: string, sentences: readonly string[]) =>
  sentences.filter((sentence) => !prose(read(page)).includes(sentence));
const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const EARLIER_KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321';

/** What the page's own command says of a tenant, and some options more. */
const context: Readonly<Record<string, string>> = {
  tenant: 'acme',
  byokKeyArn: KEY_ARN,
  earlierByokKeyArn: EARLIER_KEY_ARN,
  region: 'eu-central-1',
  compliance: 'true',
  replicateArchiveTo: 'eu-west-1',
  trailBucket: 'acme-trail',
  eventBusArn: 'arn:aws:events:eu-central-1:111122223333:event-bus/acme',
  archiveReader: 'arn:aws:iam::111122223333:role/auditor',
};

function tenant() {
  const stage = findTenant((name) => context[name]);
  if (stage === undefined) throw new Error('The context names no tenant.');
  return stage;
}

describe('who can use the key', () => {
  const users = { api: 'arn:…-api', rewrapper: 'arn:…-rewrapper', syncer: 'arn:…-syncer' };
  const rows = tableRows(PAGE).filter(([statement]) => named(statement)[0]?.startsWith('Lockzero'));
  const told = rows.map(([statement, roles, actions]) => ({
    sid: named(statement)[0],
    roles: named(roles).map((role) => `arn:${role}`),
    actions: named(actions),
  }));

  it('is what GET /workspace/encryption-key hands out', () => {
    const statements = keyPolicyStatements('ws_1', KEY_ARN, users);
    expect(told).toEqual(
      statements.map(({ Sid: sid, Action: actions, Condition: { ArnEquals } }) => ({
        sid,
        roles: ArnEquals?.['aws:PrincipalArn'],
        actions,
      })),
    );
  });

  it('and, but for the workspace, what the outputs of a tenant ask for', () => {
    expect(tenantKeyPolicy(tenant()).map(({ sid, actions }) => ({ sid, actions }))).toEqual(
      told.map(({ sid, actions }) => ({ sid, actions })),
    );
    const restoring = tenantKeyPolicy({ ...tenant(), recovery: true }).map(({ sid }) => sid ?? '');
    const further = restoring.filter((sid) => !told.some((one) => one.sid === sid));
    expect(further).toHaveLength(1);
    expect(missing(PAGE, [`there is one more, \`${further[0]}\``])).toEqual([]);
  });
});

it('every route that it names is there', () => {
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  const steps = [...read(PAGE).matchAll(/`(GET|PUT|POST|DELETE) (\/[\w/-]+)/g)];
  const told = new Set(steps.map(([, method, path]) => `${method} ${path}`));
  expect([...told].filter((route) => !known.has(route))).toEqual([]);
  expect([...told]).toEqual(
    expect.arrayContaining([
      'GET /workspace/encryption-key',
      'PUT /workspace/encryption-key',
      'DELETE /workspace/encryption-key',
      'DELETE /workspace/encryption-key/previous',
    ]),
  );
});

it('a tenant has what its options are said to do', () => {
  expect(Object.keys(context).filter((name) => !text.includes(`-c ${name}=`))).toEqual([]);
  expect(tenant()).toMatchObject({
    tenantKeyArn: KEY_ARN,
    earlierTenantKeyArns: [EARLIER_KEY_ARN],
    defaultPlan: 'enterprise',
    archive: { mode: 'COMPLIANCE', retentionDays: 2557 },
    replicateArchiveTo: 'eu-west-1',
    // There are no such endpoints where it is.
    fips: false,
    customerTrail: { bucketName: 'acme-trail', eventBusArn: context['eventBusArn'] },
    archiveReaders: [{ roleArn: context['archiveReader'] }],
  });
});

it('a migration takes as long as it says', () => {
  expect(RHYTHMS.rewrapper).toEqual({ everyMinutes: 1 });
  expect([DRAIN_MS, LIST_LAG_MS, BLOCKED_PAUSE_MS, ROLLOUT_MS]).toEqual(
    [5, 1, 15, 60].map((minutes) => minutes * MINUTE_MS),
  );
  expect(MAX_PREVIOUS_KEYS).toBe(5);
  const told = [
    'beginning within a minute',
    'begins five minutes after the change at the earliest, and each pass waits for a minute',
    'goes on, within a quarter of an hour',
    'while values may lie under five earlier keys',
  ];
  expect(missing(PAGE, told)).toEqual([]);
  expect(missing('docs/RUNBOOK.md', ['sixty minutes after it has seen the new key'])).toEqual([]);
});

describe('after the key is taken away', () => {
  const bound = (what: string): string => {
    const [, until] = tableRows(PAGE).find(([first]) => first?.includes(what)) ?? [];
    if (until === undefined) throw new Error(`${PAGE} has no line for ${what}.`);
    return until;
  };
  const stage = tenant();
  const env = { region: stage.region };
  const dataKeyArn = KEY_ARN;
  const app = emptyApp();
  const data = new DataStack(app, 'Data', { stage, dataKeyArn, env });
  afterAll(() => rmSync(app.outdir, { recursive: true, force: true }));

  it('a request, or a copy, that had its data key ends as soon as it says', () => {
    const shared = { stage, data, dataKeyArn, secretsKeyArns: [KEY_ARN], checkpointKeyArn: KEY_ARN, env };
    const api = new ApiStack(app, 'Api', { ...shared, signingKeyArns: [KEY_ARN] });
    const jobs = new JobsStack(app, 'Jobs', { ...shared, publicUrl: api.url });
    const secondsOf = (name: string) =>
      [...api.functions, ...jobs.functions]
        .find(({ functionName }) => functionName === name)
        ?.timeout.toSeconds();
    expect(bound('a request that had its data key')).toContain(`${secondsOf('api')} seconds`);
    expect(secondsOf('syncer')).toBe(5 * 60);
    expect(bound('a copy for Secrets Manager')).toContain('five minutes');
  });

  it('backups of before are kept for as long as it says', () => {
    const told = bound('backups of before');
    const watch = new Stack(app, 'Watch', { env });
    new Snapshots(watch, 'Snapshots', { stage, dataKeyArn, tables: [data.vault, data.audit] });
    const all = [...data.node.findAll(), ...watch.node.findAll()];
    const tables = all.filter(CfnGlobalTable.isCfnGlobalTable).map(({ replicas }) => data.resolve(replicas));
    const recovery = { pointInTimeRecoverySpecification: { recoveryPeriodInDays: 35 } };
    expect(tables).toMatchObject([[recovery], [recovery]]);
    expect(told).toContain('35 days by point-in-time recovery');

    const lifecycles = all
      .filter(CfnBucket.isCfnBucket)
      .filter(({ node }) => node.path.startsWith('Data/Backup/'))
      .map(({ lifecycleConfiguration }) => data.resolve(lifecycleConfiguration));
    const expiring = { expirationInDays: 275, noncurrentVersionExpiration: { noncurrentDays: 90 } };
    expect(lifecycles).toMatchObject([{ rules: [expiring] }]);
    expect(told).toContain(`${275 + 90} days by nightly exports`);

    const plans = all
      .filter(CfnBackupPlan.isCfnBackupPlan)
      .map(({ backupPlan }) => watch.resolve(backupPlan));
    expect(plans).toMatchObject([{ backupPlanRule: [{ lifecycle: { deleteAfterDays: 30 } }] }]);
    expect(told).toContain('30 days by hourly snapshots');
  });
});
