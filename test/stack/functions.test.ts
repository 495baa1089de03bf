import { findStage } from '../../lib/stages.ts';
import { list, resolve, type Statement } from './policy.ts';
import { resourcesOf, synth } from './synth.ts';

const { api, jobs } = synth(findStage('production'));
const both = (type: string) => [...resourcesOf(api, type), ...resourcesOf(jobs, type)];

function functionNamed(name: string) {
  const found = both('AWS::Lambda::Function').find(
    ([, resource]) => resource.Properties['FunctionName'] === `lockzero-production-${name}`,
  );
  if (found === undefined) throw new Error(`There is no function ${name}.`);
  return { id: found[0], ...found[1] };
}

/** What the role of a function may do, as `table or service: action action`. */
function permissionsOf(name: string): Record<string, string[]> {
  const roleName = `lockzero-production-us-east-1-${name}`;
  const [roleId] = both('AWS::IAM::Role').find(([, role]) => role.Properties['RoleName'] === roleName) ?? [];
  const policies = both('AWS::IAM::ManagedPolicy').filter(([, policy]) =>
    list(resolve(policy.Properties['Roles'])).includes(roleId ?? ''),
  );
  const permissions: Record<string, string[]> = {};
  for (const [, policy] of policies) {
    const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
    for (const statement of Statement) {
      for (const resource of list(resolve(statement.Resource))) {
        const target = resource.replace(/^.*ExportsOutput(Ref|FnGetAtt)/, '').replace(/[0-9A-F]{8}/g, '');
        const through = list(Object.values(statement.Condition?.['StringEquals'] ?? {})).join();
        const key = through === '' ? target : `${target} via ${through.split('.')[0]}`;
        const actions = list(statement.Action).map((action) => action.replace(/^(dynamodb|kms):/, ''));
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

describe('the role of each function may do this and no more', () => {
  test('api', () => {
    expect(permissionsOf('api')).toEqual({
      VaultArn: [
        'BatchGetItem',
        'ConditionCheckItem',
        'DeleteItem',
        'GetItem',
        'PutItem',
        'Query',
        'UpdateItem',
      ],
      'VaultArn/index/list': ['Query'],
      AuditArn: ['GetItem', 'PutItem', 'Query'],
      SecretsKeyArn: ['Decrypt', 'GenerateDataKey'],
      Signing1KeyArn: ['GetPublicKey', 'Sign'],
      RootSecret: ['secretsmanager:GetSecretValue'],
      SetupToken: ['secretsmanager:GetSecretValue'],
      'DataKeyArn via secretsmanager': ['Decrypt'],
      'ApiFunctionLog.Arn': writeLog,
      ...throughDynamo,
      ...tracing,
    });
  });

  test('verifier', () => {
    expect(permissionsOf('verifier')).toEqual({
      VaultArn: ['BatchGetItem', 'Scan'],
      AuditArn: ['GetItem', 'PutItem', 'Query'],
      'FailedRuns.Arn': ['sqs:SendMessage'],
      'VerifierFunctionLog.Arn': writeLog,
      ...throughDynamo,
      ...tracing,
    });
  });

  test('tally', () => {
    expect(permissionsOf('tally')).toEqual({
      VaultArn: ['GetItem', 'PutItem', 'Query'],
      AuditArn: ['GetItem', 'PutItem', 'Query'],
      'FailedRuns.Arn': ['sqs:SendMessage'],
      'TallyFunctionLog.Arn': writeLog,
      ...throughDynamo,
      ...tracing,
    });
  });

  test('purge', () => {
    expect(permissionsOf('purge')).toEqual({
      VaultArn: ['DeleteItem', 'GetItem', 'PutItem', 'Query'],
      'VaultArn/index/list': ['Query'],
      AuditArn: ['GetItem', 'PutItem', 'Query'],
      'FailedRuns.Arn': ['sqs:SendMessage'],
      'PurgeFunctionLog.Arn': writeLog,
      ...throughDynamo,
      ...tracing,
    });
  });
});

test('no policy holds a wildcard but the resource of the two X-Ray actions', () => {
  expect(both('AWS::IAM::Policy')).toEqual([]);
  for (const [, policy] of both('AWS::IAM::ManagedPolicy')) {
    const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
    for (const statement of Statement) {
      expect(list(statement.Action).filter((action) => action.includes('*'))).toEqual([]);
      if (resolve(statement.Resource) === '*') {
        expect(statement.Action).toEqual(['xray:PutTelemetryRecords', 'xray:PutTraceSegments']);
      } else {
        expect(JSON.stringify(statement.Resource)).not.toContain('*');
      }
    }
  }
});

describe('functions', () => {
  test.each(['api', 'verifier', 'tally', 'purge'])(
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

  test('know the stage and their tables, and only api the keys and secrets', () => {
    const variables = (name: string) => {
      const environment = functionNamed(name).Properties['Environment'] as {
        Variables: Record<string, unknown>;
      };
      return environment.Variables;
    };
    const common = [
      'AUDIT_TABLE',
      'POWERTOOLS_METRICS_NAMESPACE',
      'POWERTOOLS_SERVICE_NAME',
      'STAGE',
      'VAULT_TABLE',
    ];
    for (const name of ['verifier', 'tally', 'purge'])
      expect(Object.keys(variables(name)).sort()).toEqual(common);
    const onlyApi = [
      'PUBLIC_URL',
      'ROOT_SECRET_ID',
      'SECRETS_KEY_ARN',
      'SETUP_TOKEN_SECRET_ID',
      'SIGNING_KEY_ARNS',
    ];
    expect(Object.keys(variables('api')).sort()).toEqual([...common, ...onlyApi].sort());
    expect(variables('api')).toMatchObject({ STAGE: 'production', POWERTOOLS_SERVICE_NAME: 'api' });
  });

  test('the verifier has 15 minutes and 2 GiB', () => {
    expect(functionNamed('verifier').Properties).toMatchObject({ Timeout: 900, MemorySize: 2048 });
  });
});

describe('schedules', () => {
  test.each([
    ['verifier', 'cron(15 3 * * ? *)'],
    ['tally', 'cron(* * * * ? *)'],
    ['purge', 'cron(15 2 * * ? *)'],
  ])('%s runs at %s UTC, exactly, with retries and a dead-letter queue', (name, expression) => {
    const { id } = functionNamed(name);
    const schedules = resourcesOf(jobs, 'AWS::Scheduler::Schedule').map(
      ([, schedule]) => schedule.Properties,
    );
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
            MaximumRetryAttempts: name === 'tally' ? 0 : 2,
          },
        }),
      }),
    );
  });

  test('each has a role that starts its one function, for its own schedule group only', () => {
    const roles = resourcesOf(jobs, 'AWS::IAM::Role').filter(([id]) => id.includes('Schedule'));
    expect(roles).toHaveLength(3);
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
    const policies = resourcesOf(jobs, 'AWS::IAM::ManagedPolicy').filter(([id]) => id.includes('Schedule'));
    const started = policies.map(([, policy]) => {
      const { Statement } = policy.Properties['PolicyDocument'] as { Statement: Statement[] };
      expect(Statement.map((statement) => statement.Action)).toEqual([
        'lambda:InvokeFunction',
        'sqs:SendMessage',
      ]);
      return resolve(Statement[0]?.Resource);
    });
    expect(new Set(started).size).toBe(3);
  });

  test('a run that fails to the last leaves a message in an encrypted, TLS-only queue', () => {
    const configs = resourcesOf(jobs, 'AWS::Lambda::EventInvokeConfig').map(
      ([, config]) => config.Properties,
    );
    expect(configs).toHaveLength(3);
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
