import { parseStage } from '../../lib/stage.ts';
import { findStage } from '../../lib/stages.ts';
import { deploy } from './deployment.ts';
import {
  CARELESS,
  type Case,
  type Context,
  CUSTOMER,
  exact,
  keyOf,
  lines,
  MOVE,
  OPEN_AND_SEAL,
  ownRoles,
  USES,
  usersOf,
  wrongContexts,
} from './key-users.ts';
import { ACCOUNT } from './policy.ts';

const production = findStage('production');

describe('a key that a workspace brings', () => {
  const region = production.region;
  const other = '777788889999';
  const granted = `arn:aws:kms:${region}:${ACCOUNT}:key/mrk-0a1b2c3d4e5f60718293a4b5c6d7e8f9`;
  const listed = caseOf({
    customerKeyAccounts: [CUSTOMER],
    grantedKeys: [{ workspaceId: `ws_${'0'.repeat(32)}`, keyArn: granted }],
    recovery: true,
  });
  const open = caseOf({ customerKeyAccounts: 'any' });
  const closed = caseOf({});

  function caseOf(more: object): Case {
    const stage = parseStage({ ...production, ...more });
    return { name: 'bringing', stage, deployment: deploy(stage) };
  }

  /** What our own policies leave open, should the key's not. A restore never opens values under keys that were brought. */
  const OURS = { api: [...OPEN_AND_SEAL, ...MOVE], rewrapper: MOVE, syncer: ['kms:Decrypt'] };

  const ours = (each: Case, keyArn: string, context: Context, actions: readonly string[] = USES) =>
    usersOf(each, keyArn, CARELESS, context, { actions, principals: ownRoles(each) }).sort();

  test.each<[string, Case, string]>([
    ['of an account that the stage lists', listed, keyOf(CUSTOMER, region)],
    ['of any other account, where the stage takes all', open, keyOf(other, region)],
    ['of the vault’s own account, if it was given', listed, granted],
  ])('%s is used as the vault’s own is', (_, each, keyArn) => {
    expect(ours(each, keyArn, exact)).toEqual(lines(OURS));
  });

  test('must itself refuse to wrap in a wrong context; whatever opens is refused by our policies already', () => {
    for (const context of Object.values(wrongContexts(region))) {
      expect(ours(listed, keyOf(CUSTOMER, region), context)).toEqual(['api: kms:GenerateDataKey']);
    }
  });

  test.each<[string, Case, string]>([
    ['of an account that the stage does not list', listed, keyOf(other, region)],
    ['of another region', open, keyOf(other, 'eu-west-1')],
    ['of any account, where the stage takes none', closed, keyOf(CUSTOMER, region)],
    ['of the vault’s own account', open, keyOf(ACCOUNT, region)],
    ['of the vault’s own account beside the one that was given', listed, keyOf(ACCOUNT, region)],
  ])('%s is used by no role of ours', (_, each, keyArn) => {
    for (const context of [exact, {}]) {
      expect(ours(each, keyArn, context, [...USES, 'kms:DescribeKey'])).toEqual([]);
    }
  });

  test('is described by the api alone', () => {
    expect(ours(listed, keyOf(CUSTOMER, region), {}, ['kms:DescribeKey'])).toEqual(['api: kms:DescribeKey']);
  });

  test('is known to the api by account, and by workspace where it was given', () => {
    expect(listed.deployment.environmentOf('api')).toMatchObject({
      CUSTOMER_KEY_ACCOUNTS: CUSTOMER,
      GRANTED_KEYS: JSON.stringify([{ workspaceId: `ws_${'0'.repeat(32)}`, keyArn: granted }]),
    });
    expect(open.deployment.environmentOf('api')).toMatchObject({ CUSTOMER_KEY_ACCOUNTS: 'any' });
    for (const name of ['CUSTOMER_KEY_ACCOUNTS', 'GRANTED_KEYS', 'TENANT_KEY_ARN'])
      expect(closed.deployment.environmentOf('api')).not.toHaveProperty(name);
  });
});
