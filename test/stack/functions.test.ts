import { findStage } from '../../lib/stages.ts';
import { ACCOUNT, list as listOf, resolve, type Statement } from './policy.ts';
import { resourcesOf, synth } from './synth.ts';

const { api, jobs, trail, watch } = synth(findStage('production'));
const all = (type: string) => [api, jobs, trail, watch].flatMap((template) => resourcesOf(template, type));

function functionNamed(name: string) {
  const found = all('AWS::Lambda::Function').find(
    ([, resource]) => resource.Properties['FunctionName'] === `lockzero-production-${name}`,
  );
  if (found === undefined) throw new Error(`There is no function ${name}.`);
  return { id: found[0], ...found[1] };
}

/** What the role of a function may do, as `table or service: action action`. */
function permissionsOf(name: string): Record<string, string[]> {
  const roleName = `lockzero-production-us-east-1-${name}`;
  const [roleId] = all('AWS::IAM::Role').find(([, role]) => role.Properties['RoleName'] === roleName) ?? [];
  const policies = all('AWS::IAM::ManagedPolicy').filter(([, policy]) =>
    listOf(resolve(policy.Properties['Roles'])).includes(roleId ?? ''),
  );
  const permissions: Record<string, string[]> = {};
  for (const [, policy] of policies) {
    const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
    for (const statement of Statement) {
      for (const resource of listOf(resolve(statement.Resource))) {
        const target = resource
          .replace(/^.*ExportsOutput(Ref|FnGetAtt)/, '')
          .replace(/(?<=[a-z])([0-9A-F]{8})+/g, '')
          .replace(/^lockzero-production-(.*)-arn/, '$1');
        const through = listOf(Object.values(statement.Condition?.['StringEquals'] ?? {})).join();
        const key = through === '' ? target : `${target} via ${through.split('.')[0]}`;
        const actions = listOf(statement.Action).map((action) => action.replace(/^(dynamodb|kms|s3):/, ''));
        permissions[key] = [...(permissions[key] ?? []), ...actions].sort();
      }
    }
  }
  return permissions;
}

const throughDynamo = {
  'DataKeyArn via dynamodb': [
    'Decrypt',
    'DescribeKey',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ],
};
const tracing = { '*': ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'] };
const writeLog = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const read = ['GetObject', 'GetObjectVersion'];
const append = ['GetItem', 'PutItem', 'Query'];
const list = { 'VaultArn/index/list': ['Query'] };
const follow = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
const receive = ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'];
const copies = (name: string) =>
  `arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:lockzero/production/ws_*/${name}*`;
const writeCopies = [
  'CreateSecret',
  'DescribeSecret',
  'PutSecretValue',
  'RestoreSecret',
  'TagResource',
  'UpdateSecretVersionStage',
].map((action) => `secretsmanager:${action}`);
const failed = { 'FailedRuns.Arn': ['sqs:SendMessage'] };

const PERMISSIONS: Record<string, Record<string, string[]>> = {
  api: {
    VaultArn: [
      'BatchGetItem',
      'ConditionCheckItem',
      'DeleteItem',
      'GetItem',
      'PutItem',
      'Query',
      'UpdateItem',
    ],
    ...list,
    AuditArn: append,
    'archive/log/*': read,
    'archive/archive/*': read,
    archive: ['ListBucket'],
    SecretsKeyArn: ['Decrypt', 'DescribeKey', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'],
    [copies('bootstrap/')]: writeCopies,
    Signing1KeyArn: ['GetPublicKey', 'Sign'],
    CheckpointKeyArn: ['GetPublicKey'],
    RootSecret: ['secretsmanager:GetSecretValue'],
    SetupToken: ['secretsmanager:GetSecretValue'],
    'DataKeyArn via secretsmanager': ['Decrypt'],
    'ApiFunctionLog.Arn': writeLog,
  },
  verifier: {
    VaultArn: ['BatchGetItem', 'GetItem', 'PutItem', 'Query', 'Scan'],
    ...list,
    AuditArn: append,
    'archive/log/*': read,
    'archive/archive/*': read,
    archive: ['ListBucket'],
    CheckpointKeyArn: ['GetPublicKey'],
    ...failed,
    'VerifierFunctionLog.Arn': writeLog,
  },
  tally: { VaultArn: append, AuditArn: append, ...failed, 'TallyFunctionLog.Arn': writeLog },
  purge: {
    VaultArn: ['BatchGetItem', 'DeleteItem', ...append],
    ...list,
    AuditArn: append,
    ...failed,
    'PurgeFunctionLog.Arn': writeLog,
  },
  archiver: {
    VaultArn: append,
    ...list,
    AuditArn: append,
    'archive/log/*': read,
    'archive/archive/*': ['GetObject', 'GetObjectRetention', 'GetObjectVersion', 'PutObject'],
    archive: ['ListBucket'],
    CheckpointKeyArn: ['GetPublicKey', 'Sign'],
    ...failed,
    'ArchiverFunctionLog.Arn': writeLog,
  },
  retention: {
    VaultArn: append,
    ...list,
    AuditArn: ['BatchWriteItem', 'DeleteItem', ...append],
    'archive/log/*': read,
    'archive/archive/*': read,
    archive: ['ListBucket'],
    CheckpointKeyArn: ['GetPublicKey'],
    ...failed,
    'RetentionFunctionLog.Arn': writeLog,
  },
  sealer: {
    VaultArn: append,
    ...list,
    AuditArn: append,
    'archive/log/*': [...read, 'PutObject'],
    archive: ['ListBucket'],
    'staging/*': ['GetObject', 'PutObject'],
    staging: ['ListBucket'],
    CheckpointKeyArn: ['GetPublicKey', 'Sign'],
    'SealQueue.Arn': receive,
    ...failed,
    'SealerFunctionLog.Arn': writeLog,
  },
  deliverer: {
    VaultArn: ['DeleteItem', ...append],
    ...list,
    AuditArn: append,
    RootSecret: ['secretsmanager:GetSecretValue'],
    'DataKeyArn via secretsmanager': ['Decrypt'],
    'DeliveryQueue.Arn': receive,
    ...failed,
    'DelivererFunctionLog.Arn': writeLog,
  },
  dispatcher: {
    AuditStreamArn: follow,
    'SealQueue.Arn': ['sqs:SendMessage'],
    'DeliveryQueue.Arn': ['sqs:SendMessage'],
    ...failed,
    'DispatcherFunctionLog.Arn': writeLog,
  },
  guard: {
    VaultArn: append,
    AuditArn: append,
    AuditStreamArn: follow,
    VaultStreamArn: follow,
    ...failed,
    'GuardFunctionLog.Arn': writeLog,
  },
  anomaly: {
    VaultArn: ['BatchGetItem', ...append],
    ...list,
    AuditArn: append,
    ...failed,
    'AnomalyFunctionLog.Arn': writeLog,
  },
  backup: {
    VaultArn: ['DescribeTable', 'ExportTableToPointInTime', ...append],
    ...list,
    AuditArn: ['DescribeTable', 'ExportTableToPointInTime', ...append],
    'backup/backups/*': ['AbortMultipartUpload', 'PutObject', 'PutObjectAcl'],
    backup: ['ListBucket'],
    'DataKeyArn via s3': ['Decrypt', 'GenerateDataKey'],
    ...failed,
    'BackupFunctionLog.Arn': writeLog,
  },
  'backup-check': {
    VaultArn: append,
    ...list,
    AuditArn: append,
    'backup/backups/*': ['GetObject'],
    backup: ['ListBucket'],
    'DataKeyArn via s3': ['Decrypt'],
    ...failed,
    'BackupCheckFunctionLog.Arn': writeLog,
  },
  probe: {
    VaultArn: ['DeleteItem', ...append],
    ...list,
    AuditArn: append,
    ...failed,
    'ProbeFunctionLog.Arn': writeLog,
  },
  snapshot: {
    VaultArn: ['BatchGetItem', ...append],
    ...list,
    AuditArn: append,
    ...failed,
    'SnapshotFunctionLog.Arn': writeLog,
  },
  'access-review': {
    VaultArn: ['BatchGetItem', ...append],
    ...list,
    AuditArn: append,
    ...failed,
    'AccessReviewFunctionLog.Arn': writeLog,
  },
  reconciler: {
    VaultArn: append,
    ...list,
    AuditArn: append,
    'CallLogBucket.Arn/AWSLogs/*': ['GetObject'],
    'CallLogBucket.Arn': ['ListBucket'],
    ...failed,
    'ReconcilerFunctionLog.Arn': writeLog,
  },
  rewrapper: {
    VaultArn: ['BatchGetItem', ...append],
    ...list,
    AuditArn: append,
    SecretsKeyArn: ['ReEncryptFrom', 'ReEncryptTo'],
    ...failed,
    'RewrapperFunctionLog.Arn': writeLog,
  },
  syncer: {
    VaultArn: ['ConditionCheckItem', 'DeleteItem', ...append],
    ...list,
    AuditArn: append,
    SecretsKeyArn: ['Decrypt'],
    [copies('')]: [...writeCopies, 'secretsmanager:DeleteSecret'].sort(),
    ...failed,
    'SyncerFunctionLog.Arn': writeLog,
  },
  'evidence-export': {
    VaultArn: append,
    ...list,
    AuditArn: append,
    'archive/log/*': read,
    'archive/archive/*': read,
    'archive/evidence/*': ['GetObject', 'GetObjectRetention', 'GetObjectVersion', 'PutObject'],
    archive: ['ListBucket'],
    CheckpointKeyArn: ['GetPublicKey'],
    ...failed,
    'EvidenceExportFunctionLog.Arn': writeLog,
  },
  'assign-plan': {
    VaultArn: ['GetItem', 'PutItem'],
    AuditArn: append,
    'AssignPlanFunctionLog.Arn': writeLog,
  },
};

test.each(Object.entries(PERMISSIONS))('the role of %s may do this and no more', (name, permissions) => {
  expect(permissionsOf(name)).toEqual({ ...permissions, ...throughDynamo, ...tracing });
});

test('each function is in this list', () => {
  const names = all('AWS::Lambda::Function').map(([, { Properties }]) => Properties['FunctionName']);
  const listed = Object.keys(PERMISSIONS).map((name) => `lockzero-production-${name}`);
  expect(names.sort()).toEqual(listed.sort());
});

test('no policy holds a wildcard but a prefix of objects or copies, and the resource of the two X-Ray actions', () => {
  expect(all('AWS::IAM::Policy')).toEqual([]);
  for (const [, policy] of all('AWS::IAM::ManagedPolicy')) {
    const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
    for (const statement of Statement) {
      expect(listOf(statement.Action).filter((action) => action.includes('*'))).toEqual([]);
      for (const resource of listOf(resolve(statement.Resource)).filter((each) => each.includes('*'))) {
        if (resource === '*') {
          expect(statement.Action).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
        } else {
          expect(resource).toMatch(
            /^((lockzero-production-(archive-arn\/log|archive-arn\/archive|archive-arn\/evidence|staging-arn|backup-arn\/backups)|CallLogBucket[0-9A-F]{8}\.Arn\/AWSLogs)|arn:aws:secretsmanager:us-east-1:111122223333:secret:lockzero\/production\/ws_\*(\/bootstrap)?)\/\*$/,
          );
        }
      }
    }
  }
});

describe('functions', () => {
  test.each(Object.keys(PERMISSIONS))(
    '%s: arm64, Node.js 24, traced, own log, role and policy first',
    (name) => {
      const { id, Properties, DependsOn } = functionNamed(name);
      expect(Properties).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: { Ref: expect.stringContaining('Log') } },
      });
      const prefix = id.replace(/Function.*$/, 'Function');
      expect(DependsOn).toContainEqual(expect.stringMatching(`^${prefix}AccessPolicy`));
      expect(resolve(Properties['Role'])).toMatch(`${prefix}AccessRole`);
    },
  );

  test('know the stage, their tables and no more than they need', () => {
    const common = [
      'AUDIT_TABLE',
      'POWERTOOLS_METRICS_NAMESPACE',
      'POWERTOOLS_SERVICE_NAME',
      'STAGE',
      'VAULT_TABLE',
    ];
    const log = ['ARCHIVE_BUCKET', 'CHECKPOINT_KEY_ARN', 'LOG_NAME'];
    const more: Record<string, string[]> = {
      api: [
        ...log,
        'DEFAULT_PLAN',
        'KEY_USER_ROLE_ARNS',
        'PUBLIC_URL',
        'ROOT_SECRET_ID',
        'SECRETS_KEY_ARNS',
        'SETUP_TOKEN_SECRET_ID',
        'SIGNING_KEY_ARNS',
      ],
      verifier: log,
      tally: [],
      purge: [],
      archiver: [...log, 'ARCHIVE_RETENTION_DAYS'],
      retention: log,
      sealer: [...log, 'STAGING_BUCKET'],
      deliverer: ['ROOT_SECRET_ID'],
      dispatcher: ['DELIVERY_QUEUE_URL', 'SEAL_QUEUE_URL'],
      guard: [],
      rewrapper: ['SECRETS_KEY_ARNS'],
      syncer: ['SECRETS_KEY_ARNS'],
      'evidence-export': [...log, 'ARCHIVE_RETENTION_DAYS'],
      'assign-plan': ['DEFAULT_PLAN'],
      snapshot: ['DEFAULT_PLAN'],
      reconciler: ['DECRYPTING_ROLE_ARNS', 'REWRAPPING_ROLE_ARNS', 'SECRETS_KEY_ARNS', 'TRAIL_BUCKET'],
    };
    for (const [name, variables] of Object.entries(more)) {
      expect([name, Object.keys(variablesOf(name)).sort()]).toEqual([name, [...common, ...variables].sort()]);
    }
    expect(variablesOf('api')).toMatchObject({ STAGE: 'production', POWERTOOLS_SERVICE_NAME: 'api' });
    expect(variablesOf('archiver')).toMatchObject({ ARCHIVE_RETENTION_DAYS: '2557' });
  });

  test('all call the logs by one name', () => {
    const name = `lockzero-production.us-east-1.${ACCOUNT}`;
    for (const each of ['api', 'sealer', 'archiver', 'verifier', 'retention']) {
      expect(resolve(variablesOf(each)['LOG_NAME'])).toBe(name);
    }
  });

  test.each([
    ['verifier', 900, 2048],
    ['archiver', 900, 1769],
    ['retention', 900, 512],
    ['sealer', 900, 1024],
    ['deliverer', 90, 512],
    ['dispatcher', 60, 256],
    ['guard', 300, 512],
    ['rewrapper', 300, 512],
    ['syncer', 300, 512],
    ['evidence-export', 900, 1769],
    ['assign-plan', 60, 512],
  ])('%s has %i seconds and %i MiB', (name, Timeout, MemorySize) => {
    expect(functionNamed(name).Properties).toMatchObject({ Timeout, MemorySize });
  });
});

function variablesOf(name: string): Record<string, unknown> {
  const environment = functionNamed(name).Properties['Environment'] as {
    Variables: Record<string, unknown>;
  };
  return environment.Variables;
}

describe('schedules', () => {
  test.each([
    ['verifier', 'cron(0/5 * * * ? *)'],
    ['tally', 'cron(* * * * ? *)'],
    ['sealer', 'cron(* * * * ? *)'],
    ['deliverer', 'cron(* * * * ? *)'],
    ['purge', 'cron(15 2 * * ? *)'],
    ['archiver', 'cron(0 4 * * ? *)'],
    ['retention', 'cron(0 6 * * ? *)'],
    ['anomaly', 'cron(0/5 * * * ? *)'],
    ['backup', 'cron(0 1 * * ? *)'],
    ['backup-check', 'cron(0 5 * * ? *)'],
    ['probe', 'cron(0/15 * * * ? *)'],
    ['snapshot', 'cron(30 0 * * ? *)'],
    ['access-review', 'cron(0 7 * * ? *)'],
    ['reconciler', 'cron(30 3 * * ? *)'],
    ['rewrapper', 'cron(* * * * ? *)'],
    ['syncer', 'cron(0/5 * * * ? *)'],
    ['evidence-export', 'cron(30 6 * * ? *)'],
  ])('%s runs at %s UTC, exactly, with retries and a dead-letter queue', (name, expression) => {
    const { id } = functionNamed(name);
    const schedules = all('AWS::Scheduler::Schedule').map(([, schedule]) => schedule.Properties);
    expect(schedules).toContainEqual(
      expect.objectContaining({
        ScheduleExpression: expression,
        ScheduleExpressionTimezone: 'Etc/UTC',
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        Target: expect.objectContaining({
          Arn: { 'Fn::GetAtt': [id, 'Arn'] },
          DeadLetterConfig: { Arn: { 'Fn::GetAtt': [expect.stringContaining('FailedRuns'), 'Arn'] } },
          RetryPolicy: {
            MaximumEventAgeInSeconds: expect.any(Number),
            MaximumRetryAttempts: /^cron\(\d+ \d+ /.test(expression) ? 2 : 0,
          },
        }),
      }),
    );
  });

  test('each has a role that starts its one function, for its own schedule group only', () => {
    const roles = all('AWS::IAM::Role').filter(([id]) => id.includes('Schedule'));
    expect(roles).toHaveLength(17);
    for (const [, role] of roles) {
      expect(role.Properties['AssumeRolePolicyDocument']).toMatchObject({
        Statement: [
          {
            Principal: { Service: 'scheduler.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [expect.stringContaining('Schedules'), 'Arn'] } },
            },
          },
        ],
      });
    }
    const policies = all('AWS::IAM::ManagedPolicy').filter(([id]) => id.includes('Schedule'));
    const started = policies.map(([, policy]) => {
      const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
      expect(Statement.map((statement) => statement.Action)).toEqual([
        'lambda:InvokeFunction',
        'sqs:SendMessage',
      ]);
      return resolve(Statement[0]?.Resource);
    });
    expect(new Set(started).size).toBe(17);
  });

  test('a run that fails to the last leaves a message in an encrypted, TLS-only queue', () => {
    const configs = all('AWS::Lambda::EventInvokeConfig').map(([, config]) => config.Properties);
    expect(configs).toHaveLength(17);
    for (const config of configs) {
      expect(JSON.stringify(config['DestinationConfig'])).toContain('FailedRuns');
    }
    jobs.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    const [[, policy] = []] = resourcesOf(jobs, 'AWS::SQS::QueuePolicy');
    expect(policy?.Properties['PolicyDocument']).toMatchObject({
      Statement: [
        { Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ],
    });
  });
});
