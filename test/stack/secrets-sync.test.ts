import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { deploy } from './deployment.ts';
import { ACCOUNT, evaluate, list, resolve } from './policy.ts';

const CUSTOMER = '444455556666';
const WORKSPACE = `ws_${'a'.repeat(32)}`;
const stage = parseStage({ ...findStage('production'), syncAccounts: [CUSTOMER] });
const deployment = deploy(stage);
const nowhere = deploy(findStage('production'));

function may(name: string, action: string, resource: string, { roles } = deployment): boolean {
  const role = roles.get(`lockzero-production-us-east-1-${name}`);
  const principal = role?.arn ?? '';
  return evaluate(role?.statements ?? [], { principal, action, resource }) === 'allowed';
}

const copy = (name: string, { account = ACCOUNT, region = 'us-east-1' } = {}) =>
  `arn:aws:secretsmanager:${region}:${account}:secret:${name}-Ab12Cd`;
const own = copy(`lockzero/production/${WORKSPACE}/prod/DATABASE_URL`);
const bootstrap = copy(`lockzero/production/${WORKSPACE}/bootstrap/ci`);

const WRITES = [
  'CreateSecret',
  'DescribeSecret',
  'PutSecretValue',
  'RestoreSecret',
  'TagResource',
  'UpdateSecretVersionStage',
].map((action) => `secretsmanager:${action}`);
const NEVER = [
  'BatchGetSecretValue',
  'DeleteResourcePolicy',
  'GetResourcePolicy',
  'GetSecretValue',
  'PutResourcePolicy',
  'ReplicateSecretToRegions',
  'RotateSecret',
  'UpdateSecret',
].map((action) => `secretsmanager:${action}`);

const elsewhere = [
  copy('lockzero/production/root'),
  copy('lockzero/production/setup-token'),
  copy('lockzero/production/rest'),
  copy(`lockzero/development/${WORKSPACE}/prod/DATABASE_URL`),
  copy('somebody/else'),
  copy(`lockzero/production/${WORKSPACE}/prod/DATABASE_URL`, { account: CUSTOMER }),
  copy(`lockzero/production/${WORKSPACE}/prod/DATABASE_URL`, { region: 'eu-west-1' }),
];

describe('the syncer', () => {
  test.each([...WRITES, 'secretsmanager:DeleteSecret'])(
    'may %s below the names of workspaces only',
    (action) => {
      expect(may('syncer', action, own)).toBe(true);
      for (const resource of elsewhere)
        expect([resource, may('syncer', action, resource)]).toEqual([resource, false]);
    },
  );

  test('reads no value that it wrote, and opens no secret to others', () => {
    for (const action of NEVER) {
      for (const resource of [own, bootstrap, ...elsewhere])
        expect([action, resource, may('syncer', action, resource)]).toEqual([action, resource, false]);
    }
  });
});

describe('the api', () => {
  test.each(WRITES)('may %s for tokens of bootstrap keys only', (action) => {
    expect(may('api', action, bootstrap)).toBe(true);
    for (const resource of [own, ...elsewhere]) expect(may('api', action, resource)).toBe(false);
  });

  test('removes none, and reads no value but the bootstrap secrets of the vault itself', () => {
    expect(may('api', 'secretsmanager:DeleteSecret', bootstrap)).toBe(false);
    for (const action of NEVER) {
      for (const resource of [own, bootstrap]) expect(may('api', action, resource)).toBe(false);
    }
  });
});

describe('roles of customers', () => {
  const role = (name: string, account = CUSTOMER) => `arn:aws:iam::${account}:role/${name}`;

  test('are assumed by the api and the syncer, if they are named lockzero-sync-… in a listed account', () => {
    for (const name of ['api', 'syncer']) {
      expect(may(name, 'sts:AssumeRole', role('lockzero-sync-acme'))).toBe(true);
      for (const other of [
        role('lockzero-sync'),
        role('Administrator'),
        role('path/lockzero-sync-acme'),
        role('lockzero-sync-acme', '777788889999'),
        role('lockzero-sync-acme', ACCOUNT),
        role(`lockzero-production-us-east-1-retention`, ACCOUNT),
      ]) {
        expect([other, may(name, 'sts:AssumeRole', other)]).toEqual([other, false]);
      }
      expect(may(name, 'sts:AssumeRole', role('lockzero-sync-acme'), nowhere)).toBe(false);
    }
  });

  test('are assumed by no other role of the vault', () => {
    for (const [name, { statements = [] }] of deployment.roles) {
      const assumes = statements.some(({ Action }) =>
        list(resolve(Action)).some((action) => /^(\*|sts:)/.test(action)),
      );
      expect([name, assumes]).toEqual([name, /-(api|syncer)$/.test(name)]);
    }
  });

  test('are known to those two by account', () => {
    for (const name of ['api', 'syncer']) {
      expect(deployment.environmentOf(name)).toMatchObject({ SYNC_ACCOUNTS: CUSTOMER });
      expect(nowhere.environmentOf(name)).not.toHaveProperty('SYNC_ACCOUNTS');
    }
  });
});
