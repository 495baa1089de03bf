import { FUNCTION_NAMES } from '../../lib/names.ts';
import { findStage } from '../../lib/stages.ts';
import { ACCOUNT, evaluate, list, resolve, type Statement } from './policy.ts';
import { resourcesOf, synth } from './synth.ts';

const region = 'us-east-1';
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/lockzero-production-${region}-${name}`;
const administrator = `arn:aws:iam::${ACCOUNT}:role/Administrator`;
const root = `arn:aws:iam::${ACCOUNT}:root`;
const otherStage = `arn:aws:iam::${ACCOUNT}:role/lockzero-development-${region}-api`;
const strangers = [administrator, root, otherStage];

const { keys } = synth(findStage('production'));
const secrets = statementsOf('SecretsKey');
const data = statementsOf('DataKey');
const signing = statementsOf('Signing1Key');
const checkpoint = statementsOf('CheckpointKey');

function statementsOf(id: string): Statement[] {
  const [, key] = resourcesOf(keys, 'AWS::KMS::Key').find(([logicalId]) => logicalId.startsWith(id)) ?? [];
  const policy = key?.Properties['KeyPolicy'] as { Statement: Statement[] } | undefined;
  if (policy === undefined) throw new Error(`There is no key ${id}.`);
  return policy.Statement;
}

/** A call with an encryption context, as KMS presents it to conditions. */
function inContext(context: Record<string, string>, more: Record<string, string> = {}) {
  const keysOf = Object.keys(context);
  return {
    ...Object.fromEntries(keysOf.map((key) => [`kms:EncryptionContext:${key}`, context[key] ?? ''])),
    ...(keysOf.length === 0 ? {} : { 'kms:EncryptionContextKeys': keysOf }),
    ...more,
  };
}

const through = (service: string) => ({ 'kms:ViaService': `${service}.${region}.amazonaws.com` });
const secretArn = (name: string) =>
  `arn:aws:secretsmanager:${region}:${ACCOUNT}:secret:lockzero/production/${name}-Ab12Cd`;

test('every key waits 30 days before deletion and has an alias', () => {
  const all = resourcesOf(keys, 'AWS::KMS::Key');
  expect(all).toHaveLength(4);
  for (const [, key] of all) {
    expect(key.Properties).toMatchObject({ PendingWindowInDays: 30 });
    expect(key.DeletionPolicy).toBe('Retain');
  }
  const aliases = resourcesOf(keys, 'AWS::KMS::Alias').map(([, alias]) => alias.Properties['AliasName']);
  expect(aliases.sort()).toEqual([
    'alias/lockzero/production/checkpoint',
    'alias/lockzero/production/data',
    'alias/lockzero/production/secrets',
    'alias/lockzero/production/signing-1',
  ]);
});

test('the keys that encrypt rotate; those that sign are Ed25519, which KMS cannot rotate', () => {
  const propertiesOf = (id: string) =>
    resourcesOf(keys, 'AWS::KMS::Key').find(([logicalId]) => logicalId.startsWith(id))?.[1].Properties;
  for (const id of ['SecretsKey', 'DataKey']) {
    expect(propertiesOf(id)).toMatchObject({ EnableKeyRotation: true });
    expect(propertiesOf(id)).not.toHaveProperty('KeySpec');
  }
  for (const id of ['Signing1Key', 'CheckpointKey']) {
    expect(propertiesOf(id)).toMatchObject({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    expect(propertiesOf(id)).not.toHaveProperty('EnableKeyRotation');
  }
});

test('the account manages every key by a list of actions, none of which uses or grants', () => {
  for (const statements of [secrets, data, signing, checkpoint]) {
    const unconditional = statements.filter((statement) => statement.Condition === undefined);
    const isPublic = statements === checkpoint;
    expect(unconditional.map((statement) => statement.Sid)).toEqual(
      isPublic ? ['Manage', 'PublishPublicKey'] : ['Manage'],
    );
    const actions = unconditional.flatMap((statement) => list(statement.Action));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    const uses = /Decrypt|Encrypt|GenerateDataKey|CreateGrant|Sign|Mac|DeriveSharedSecret/;
    expect(actions.filter((action) => uses.test(action))).toEqual([]);
    expect(evaluate(statements, { principal: administrator, action: 'kms:PutKeyPolicy' })).toBe('allowed');
  }
});

// Who may use the key for values, and how, is proved in value-keys.test.ts for all of its kind.

describe('the data key', () => {
  test('opens tables to the function roles, only through DynamoDB', () => {
    for (const name of FUNCTION_NAMES) {
      const request = { principal: role(name), action: 'kms:Decrypt' };
      expect(evaluate(data, { ...request, context: through('dynamodb') })).toBe('allowed');
      const opensBackups = ['backup', 'backup-check'].includes(name);
      expect(evaluate(data, { ...request, context: through('s3') })).toBe(
        opensBackups ? 'allowed' : 'not allowed',
      );
      expect(evaluate(data, request)).toBe('not allowed');
    }
  });

  test('opens backups in S3 to the functions that write and check them, and lets only one write', () => {
    const write = (name: string) =>
      evaluate(data, { principal: role(name), action: 'kms:GenerateDataKey', context: through('s3') });
    expect(FUNCTION_NAMES.filter((name) => write(name) === 'allowed')).toEqual(['backup']);
  });

  test('opens tables to AWS Backup, through DynamoDB alone', () => {
    const request = { principal: role('snapshots'), action: 'kms:Decrypt' };
    expect(evaluate(data, { ...request, context: through('dynamodb') })).toBe('allowed');
    for (const service of ['s3', 'secretsmanager'])
      expect(evaluate(data, { ...request, context: through(service) })).toBe('not allowed');
  });

  test('gives its grants for snapshots to AWS Backup alone', () => {
    const request = { principal: administrator, action: 'kms:CreateGrant' };
    const forAws = { 'kms:GrantIsForAWSResource': 'true' };
    expect(evaluate(data, { ...request, context: { ...forAws, ...through('backup') } })).toBe('allowed');
    expect(evaluate(data, { ...request, context: through('backup') })).toBe('not allowed');
  });

  test.each(['cloudwatch', 'events'])('lets %s publish to the one topic', (service) => {
    const publish = (topic: string) =>
      evaluate(data, {
        principal: `${service}.amazonaws.com`,
        action: 'kms:GenerateDataKey',
        context: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:aws:sns:${region}:${ACCOUNT}:${topic}` },
      });
    expect(publish('lockzero-production-alarms')).toBe('allowed');
    expect(publish('another')).toBe('not allowed');
  });

  test('lets nobody else decrypt, directly or through a service', () => {
    for (const principal of [role('retention-2'), ...strangers]) {
      for (const service of ['dynamodb', 'secretsmanager', 's3', 'logs']) {
        const context = { ...inContext({ SecretARN: secretArn('root') }), ...through(service) };
        for (const action of ['kms:Decrypt', 'kms:ReEncryptFrom', 'kms:Encrypt']) {
          expect(evaluate(data, { principal, action, context })).toBe('not allowed');
        }
      }
      expect(evaluate(data, { principal, action: 'kms:Decrypt' })).toBe('not allowed');
      expect(evaluate(data, { principal, action: 'kms:GenerateDataKey' })).toBe('not allowed');
    }
  });

  test('lets the deployer create tables, by a grant that stays with DynamoDB', () => {
    const request = { principal: administrator, action: 'kms:CreateGrant' };
    const forAws = { 'kms:GrantIsForAWSResource': 'true' };
    expect(evaluate(data, { ...request, context: { ...forAws, ...through('dynamodb') } })).toBe('allowed');
    expect(evaluate(data, { ...request, context: through('dynamodb') })).toBe('not allowed');
    expect(evaluate(data, { ...request, context: { ...forAws, ...through('rds') } })).toBe('not allowed');
    expect(evaluate(data, { ...request, context: forAws })).toBe('not allowed');
  });

  test('lets the deployer write the root secret without being able to read it', () => {
    const viaManager = through('secretsmanager');
    const probe = inContext(
      { SecretARN: secretArn('root'), SecretVersionId: 'RequestToValidateKeyAccess' },
      viaManager,
    );
    const read = inContext({ SecretARN: secretArn('root'), SecretVersionId: 'v' }, viaManager);
    const request = { principal: administrator, action: 'kms:Decrypt' };
    expect(evaluate(data, { principal: administrator, action: 'kms:GenerateDataKey', context: read })).toBe(
      'allowed',
    );
    expect(evaluate(data, { ...request, context: probe })).toBe('allowed');
    expect(evaluate(data, { ...request, context: read })).toBe('not allowed');
  });

  test('opens the root secret to api and deliverer alone, the setup token to whom IAM lets read it', () => {
    const read = (principal: string, name: string) =>
      evaluate(data, {
        principal,
        action: 'kms:Decrypt',
        context: inContext({ SecretARN: secretArn(name), SecretVersionId: 'v' }, through('secretsmanager')),
      });
    expect(read(role('api'), 'root')).toBe('allowed');
    expect(read(role('api'), 'setup-token')).toBe('allowed');
    expect(read(administrator, 'setup-token')).toBe('allowed');
    expect(read(role('deliverer'), 'root')).toBe('allowed');
    const others = FUNCTION_NAMES.filter((name) => name !== 'api' && name !== 'deliverer');
    for (const principal of [...others.map(role), ...strangers]) {
      expect(read(principal, 'root')).toBe('not allowed');
    }
    expect(read(role('api'), 'another')).toBe('not allowed');
  });

  test('serves CloudWatch Logs for the log groups of the stage and no others', () => {
    const use = (logGroup: string) =>
      evaluate(data, {
        principal: `logs.${region}.amazonaws.com`,
        action: 'kms:Decrypt',
        context: inContext({ 'aws:logs:arn': `arn:aws:logs:${region}:${ACCOUNT}:log-group:${logGroup}` }),
      });
    expect(use('/lockzero/production/api')).toBe('allowed');
    expect(use('aws-waf-logs-lockzero-production')).toBe('allowed');
    expect(use('API-Gateway-Execution-Logs_abc123/live')).toBe('allowed');
    expect(use('/lockzero/development/api')).toBe('not allowed');
    expect(use('/somebody/else')).toBe('not allowed');
  });
});

describe('a signing key', () => {
  const token = { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' };
  const others = [role('verifier'), role('tally'), role('purge'), role('retention'), ...strangers];

  test('signs for the api role, whole messages with pure Ed25519 only', () => {
    const sign = (context: Record<string, string>) =>
      evaluate(signing, { principal: role('api'), action: 'kms:Sign', context });
    expect(sign(token)).toBe('allowed');
    expect(sign({ ...token, 'kms:MessageType': 'DIGEST' })).toBe('not allowed');
    expect(sign({ ...token, 'kms:SigningAlgorithm': 'ED25519_PH_SHA_512' })).toBe('not allowed');
    expect(sign({})).toBe('not allowed');
  });

  test('gives the api role its public half', () => {
    expect(evaluate(signing, { principal: role('api'), action: 'kms:GetPublicKey' })).toBe('allowed');
  });

  test('lets nobody else sign, whatever IAM allows them', () => {
    for (const principal of others) {
      for (const action of ['kms:Sign', 'kms:GetPublicKey', 'kms:CreateGrant']) {
        expect(evaluate(signing, { principal, action, context: token })).toBe('not allowed');
      }
    }
  });

  test('gives the api role no other use, and no way to pass its use on', () => {
    for (const action of ['kms:CreateGrant', 'kms:Decrypt', 'kms:DeriveSharedSecret', 'kms:Verify']) {
      expect(evaluate(signing, { principal: role('api'), action, context: token })).toBe('not allowed');
    }
  });
});

describe('the checkpoint key', () => {
  const whole = { 'kms:SigningAlgorithm': 'ED25519_SHA_512', 'kms:MessageType': 'RAW' };
  const signers = ['sealer', 'archiver'];
  const decide = (principal: string, action: string, context: Record<string, string> = whole) =>
    evaluate(checkpoint, { principal, action, context });

  test('signs for the sealer and the archiver alone, whole messages with pure Ed25519 only', () => {
    for (const name of FUNCTION_NAMES) {
      expect([name, decide(role(name), 'kms:Sign')]).toEqual([
        name,
        signers.includes(name) ? 'allowed' : 'not allowed',
      ]);
    }
    for (const principal of strangers) expect(decide(principal, 'kms:Sign')).toBe('not allowed');
    expect(decide(role('sealer'), 'kms:Sign', { ...whole, 'kms:MessageType': 'DIGEST' })).toBe('not allowed');
  });

  test('gives its public half to whoever IAM lets, so that auditors can get it apart from the vault', () => {
    for (const principal of [...FUNCTION_NAMES.map(role), administrator]) {
      expect([principal, decide(principal, 'kms:GetPublicKey', {})]).toEqual([principal, 'allowed']);
    }
  });

  test('gives nobody a way to pass its use on', () => {
    for (const principal of [...FUNCTION_NAMES.map(role), ...strangers]) {
      expect(decide(principal, 'kms:CreateGrant')).toBe('not allowed');
    }
  });
});

test('no statement names a principal outside the account, CloudWatch, EventBridge and Budgets', () => {
  const services = [
    { Service: `logs.${region}.amazonaws.com` },
    { Service: ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
  ];
  for (const statement of [...secrets, ...data, ...signing, ...checkpoint]) {
    expect([{ AWS: root }, ...services]).toContainEqual(resolve(statement.Principal));
  }
});

describe('the role that restores', () => {
  const context = inContext({ secretId: 'sec_1', version: '1', workspaceId: 'ws_1' });
  const request = { principal: role('restore'), action: 'kms:Decrypt', context };

  test('opens nothing while the stage does not say that it recovers', () => {
    expect(evaluate(secrets, request)).toBe('not allowed');
    for (const service of ['s3', 'dynamodb'])
      expect(evaluate(data, { ...request, context: through(service) })).toBe('not allowed');
  });

  test('opens backups, tables and values then, and wraps nothing', () => {
    const recovering = synth({ ...findStage('production'), recovery: true });
    const policyOf = (id: string): Statement[] =>
      resourcesOf(recovering.keys, 'AWS::KMS::Key')
        .filter(([logicalId]) => logicalId.startsWith(id))
        .flatMap(([, key]) => (key.Properties['KeyPolicy'] as { Statement: Statement[] }).Statement);
    expect(evaluate(policyOf('SecretsKey'), request)).toBe('allowed');
    expect(evaluate(policyOf('SecretsKey'), { ...request, context: {} })).toBe('not allowed');
    expect(evaluate(policyOf('SecretsKey'), { ...request, action: 'kms:GenerateDataKey' })).toBe(
      'not allowed',
    );
    for (const service of ['s3', 'dynamodb'])
      expect(evaluate(policyOf('DataKey'), { ...request, context: through(service) })).toBe('allowed');
  });
});

test('a new key for values stands beside the old one with the same policy, under an alias of its own', () => {
  const { keys: rotating } = synth({ ...findStage('production'), secretsKeys: [2, 1] });
  const policyOf = (id: string) =>
    resourcesOf(rotating, 'AWS::KMS::Key').find(([logicalId]) => logicalId.startsWith(id))?.[1].Properties[
      'KeyPolicy'
    ];
  expect(policyOf('SecretsKey')).toBeDefined();
  expect(policyOf('Secrets2Key')).toEqual(policyOf('SecretsKey'));
  const [[logicalId] = []] = resourcesOf(keys, 'AWS::KMS::Key').filter(([id]) => id.startsWith('SecretsKey'));
  expect(resourcesOf(rotating, 'AWS::KMS::Key').map(([id]) => id)).toContain(logicalId);
  const aliases = resourcesOf(rotating, 'AWS::KMS::Alias').map(([, alias]) => alias.Properties['AliasName']);
  expect(aliases).toEqual(
    expect.arrayContaining(['alias/lockzero/production/secrets', 'alias/lockzero/production/secrets-2']),
  );
});
