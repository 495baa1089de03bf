import type { VaultError } from '../../../core/kernel/errors.ts';
import { type KeyWorld, keyWorld } from '../../support/key-world.ts';
import {
  boundTo,
  CUSTOMER_ACCOUNT,
  CUSTOMER_KEYS,
  customerKeyArn,
  type KeyUse,
} from '../../support/memory-customer-keys.ts';
import { keysOfDeployment, VAULT_KEY_ARN } from '../../support/memory-keys.ts';

const VAULT_ACCOUNT = '000000000000';
const KEY_ID = '00000000-0000-4000-8000-000000000001';

/** The reasons by their codes, as the row has them, and the sentences, as the answer has. Nothing may have changed. */
async function refusalOf(world: KeyWorld, keyArn: string, parts = world.vault) {
  const before = await world.workspace();
  const error = await world.bring(keyArn, parts).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'key_refused' });
  expect(await world.workspace()).toEqual(before);
  const row = world.lastRow();
  expect(row).toMatchObject({ action: 'encryption_key.changed', result: 'failure', changes: [] });
  expect(world.isAllZeroed()).toBe(true);
  const { errors = [] } = error as VaultError;
  expect(errors.every(({ path, reason }) => path === 'keyArn' && reason.startsWith('must '))).toBe(true);
  return { codes: row?.detail['reasons'], detail: row?.detail, errors };
}

describe('a key that is refused before anybody is asked about it', () => {
  it.each([
    ['an alias', `arn:aws:kms:us-east-1:${CUSTOMER_ACCOUNT}:alias/mine`, 'no_key_arn'],
    ['an id alone', KEY_ID, 'no_key_arn'],
    ['an id of a multi-Region key alone', `mrk-${'0'.repeat(32)}`, 'no_key_arn'],
    ['a key of another service', `arn:aws:s3:us-east-1:${CUSTOMER_ACCOUNT}:key/${KEY_ID}`, 'no_key_arn'],
    ['more than a key', `${customerKeyArn(1)}\n`, 'no_key_arn'],
    ['a lone surrogate', `arn:aws:kms:\ud800:${CUSTOMER_ACCOUNT}:key/${KEY_ID}`, 'no_key_arn'],
    ['a key of another region', customerKeyArn(1, { region: 'eu-west-1' }), 'wrong_region'],
    ['one of another partition', customerKeyArn(1).replace('aws', 'aws-cn'), 'wrong_region'],
    [
      'the primary of a multi-Region key elsewhere',
      `arn:aws:kms:eu-west-1:${CUSTOMER_ACCOUNT}:key/mrk-${'0'.repeat(32)}`,
      'wrong_region',
    ],
    ['a key of the vault', VAULT_KEY_ARN.replace('values', KEY_ID), 'vaults_own'],
    ['a key of its account', customerKeyArn(1, { account: VAULT_ACCOUNT }), 'vaults_own'],
    [
      'a key of its account elsewhere',
      customerKeyArn(1, { account: VAULT_ACCOUNT, region: 'eu-west-1' }),
      'wrong_region,vaults_own',
    ],
  ])('%s', async (_, keyArn, codes) => {
    const world = await keyWorld();
    expect((await refusalOf(world, keyArn)).codes).toBe(codes);
    expect(world.vault.keys.calls).toEqual([]);
    expect(world.rows('encryption_key.proof_started')).toEqual([]);
  });

  it('is named in the row only if it is an ARN: anything else may be a secret', async () => {
    const world = await keyWorld();
    expect((await refusalOf(world, 'hunter2')).detail).not.toHaveProperty('keyArn');
    const keyArn = customerKeyArn(1, { region: 'eu-west-1' });
    expect((await refusalOf(world, keyArn)).detail).toMatchObject({ keyArn, code: 'key_refused' });
  });

  it('tells nothing about the account of the vault: not which keys are there, and not which are its own', async () => {
    const world = await keyWorld();
    const arnOf = (number: number) => customerKeyArn(number, { account: VAULT_ACCOUNT });
    const [existing, ofTheVault, granted, absent] = [arnOf(1), arnOf(2), arnOf(3), arnOf(4)] as const;
    world.vault.keys.add(existing, () => true);
    const parts = {
      ...world.vault,
      deploymentKeys: { ...keysOfDeployment(), allOwn: [VAULT_KEY_ARN, ofTheVault] },
      customerKeys: { ...CUSTOMER_KEYS, granted: [{ workspaceId: 'ws_other', keyArn: granted }] },
    };
    const answers = [existing, ofTheVault, granted, absent].map((keyArn) => refusalOf(world, keyArn, parts));
    const [first, ...others] = await Promise.all(answers);
    for (const other of others) expect(other.errors).toEqual(first?.errors);
  });
});

describe('the accounts that a deployment takes keys of', () => {
  const takes = async (
    accounts: 'any' | string[],
    keyArnOf: (world: KeyWorld) => Promise<string> | string,
  ) => {
    const world = await keyWorld();
    const keyArn = await keyArnOf(world);
    const parts = { ...world.vault, customerKeys: { ...CUSTOMER_KEYS, accounts } };
    return { world, parts, keyArn };
  };

  it.each<[string, 'any' | string[], boolean]>([
    ['any', 'any', true],
    ['that very one', ['444455556666', CUSTOMER_ACCOUNT], true],
    ['others', ['444455556666'], false],
    ['none', [], false],
  ])('%s', async (_, accounts, isTaken) => {
    const { world, parts, keyArn } = await takes(accounts, (made) => made.newKey());
    if (isTaken) expect(await world.bring(keyArn, parts)).toMatchObject({ usable: true });
    else expect((await refusalOf(world, keyArn, parts)).codes).toBe('account_not_allowed');
  });

  it('do not include its own, even where it is named', async () => {
    const keyArn = customerKeyArn(1, { account: VAULT_ACCOUNT });
    const { world, parts } = await takes([VAULT_ACCOUNT], () => keyArn);
    world.vault.keys.add(keyArn, boundTo(world.workspaceId));
    expect((await refusalOf(world, keyArn, parts)).codes).toBe('vaults_own');
  });

  it('include its own for the one key that this workspace was given', async () => {
    const keyArn = customerKeyArn(1, { account: VAULT_ACCOUNT });
    const { world } = await takes([], () => keyArn);
    world.vault.keys.add(keyArn, boundTo(world.workspaceId));
    const granted = [{ workspaceId: world.workspaceId, keyArn }];
    const parts = { ...world.vault, customerKeys: { accounts: [], granted, users: CUSTOMER_KEYS.users } };
    expect(await world.bring(keyArn, parts)).toMatchObject({ usable: true });
    world.vault.keys.add(keyArn, () => true);
    expect((await refusalOf(world, keyArn, parts)).codes).toBe(
      'open_without_context,open_to_other_workspaces',
    );
  });

  it('never include a key that the deployment itself uses, whoever was given it', async () => {
    const keyArn = customerKeyArn(1);
    const { world } = await takes('any', () => keyArn);
    const customerKeys = { ...CUSTOMER_KEYS, granted: [{ workspaceId: world.workspaceId, keyArn }] };
    const deploymentKeys = { ...keysOfDeployment(), values: keyArn };
    const parts = { ...world.vault, customerKeys, deploymentKeys };
    expect((await refusalOf(world, keyArn, parts)).codes).toBe('vaults_own');
  });
});

describe('a key that fails its trial', () => {
  it("of another workspace's customer answers exactly as one that is not there", async () => {
    const world = await keyWorld();
    const theirs = await world.vault.newCustomerKey(await world.otherWorkspace());
    const absent = customerKeyArn(999);
    const closed = world.vault.keys.add(customerKeyArn(998), () => false);
    const answers = [];
    for (const keyArn of [theirs, absent, closed]) answers.push(await refusalOf(world, keyArn));
    expect(answers.map(({ codes }) => codes)).toEqual(['no_access', 'no_access', 'no_access']);
    expect(answers.map(({ errors }) => errors)).toEqual(Array(3).fill(answers[0]?.errors));
    expect(world.vault.keys.handedOut).toEqual([]);
  });

  it('says nothing of the state of a key that is not for this workspace', async () => {
    const world = await keyWorld();
    const theirs = world.vault.keys.add(customerKeyArn(1), boundTo('ws_other'), { state: 'PendingDeletion' });
    expect((await refusalOf(world, theirs)).codes).toBe('no_access');
  });

  const allBut =
    (...refused: KeyUse[]) =>
    (workspaceId: string) =>
    (use: KeyUse, context: Readonly<Record<string, string>>) =>
      boundTo(workspaceId)(use, context) && !refused.includes(use);

  it.each([
    ['lets nobody look at it', allBut('DescribeKey'), 'no_access'],
    ['makes no data keys', allBut('GenerateDataKey'), 'no_access'],
    ['opens nothing', allBut('Decrypt'), 'cannot_decrypt'],
    ['takes nothing over', allBut('ReEncryptTo'), 'cannot_move_in'],
    ['gives nothing back', allBut('ReEncryptFrom'), 'cannot_move_out'],
    ['can only seal', allBut('Decrypt', 'ReEncryptFrom', 'ReEncryptTo'), 'cannot_decrypt,cannot_move_in'],
    ['needs no context', () => () => true, 'open_without_context,open_to_other_workspaces'],
    [
      'needs any context',
      () => (use: KeyUse, context: object) => use === 'DescribeKey' || Object.keys(context).length > 0,
      'open_to_other_workspaces',
    ],
    [
      'needs the context or none at all',
      (workspaceId: string) => (use: KeyUse, context: Readonly<Record<string, string>>) =>
        Object.keys(context).length === 0 || boundTo(workspaceId)(use, context),
      'open_without_context',
    ],
    [
      'opens nothing, and seals for everybody',
      () => (use: KeyUse) => use !== 'Decrypt',
      'cannot_decrypt,open_without_context,open_to_other_workspaces',
    ],
  ])('because it %s', async (_, policyFor, codes) => {
    const world = await keyWorld();
    const keyArn = world.vault.keys.add(customerKeyArn(1), policyFor(world.workspaceId));
    expect((await refusalOf(world, keyArn)).codes).toBe(codes);
  });

  it.each([
    ['disabled', { state: 'Disabled' }, 'not_enabled'],
    ['waiting for its deletion', { state: 'PendingDeletion' }, 'not_enabled'],
    ['for signing', { keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' }, 'not_symmetric'],
    ['asymmetric', { keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' }, 'not_symmetric'],
    ['for codes', { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' }, 'not_symmetric'],
    ['managed by AWS', { manager: 'AWS' }, 'not_customer_managed'],
    [
      'all of that',
      { state: 'Disabled', keySpec: 'RSA_2048', manager: 'AWS' },
      'not_symmetric,not_customer_managed,not_enabled',
    ],
  ])('because it is %s', async (_, facts, codes) => {
    const world = await keyWorld();
    const keyArn = world.vault.keys.add(customerKeyArn(1), boundTo(world.workspaceId), facts);
    expect((await refusalOf(world, keyArn)).codes).toBe(codes);
  });

  it('because nobody can use it, whatever is said of it', async () => {
    const world = await keyWorld();
    const keyArn = world.vault.keys.add(customerKeyArn(1), boundTo(world.workspaceId), { state: 'Enabled' });
    world.vault.keys.unusable.add(keyArn);
    expect((await refusalOf(world, keyArn)).codes).toBe('not_usable');
  });
});

describe('a customer whose present key is gone', () => {
  it('brings a new one, which is tried against the key of the vault', async () => {
    const world = await keyWorld();
    const [gone, next] = [await world.newKey(), await world.newKey()];
    await world.bring(gone);
    world.vault.keys.unusable.add(gone);
    const moves: string[] = [];
    world.vault.keys.logReEncrypt = ({ from, to }) => void moves.push(`${from} > ${to}`);
    expect(await world.bring(next)).toMatchObject({
      workspace: { encryptionKey: { keyArn: next }, previousKeyArns: [gone, VAULT_KEY_ARN] },
    });
    expect(moves).toEqual([`${VAULT_KEY_ARN} > ${next}`, `${next} > ${VAULT_KEY_ARN}`]);
  });

  it('is told of the present key where that gives nothing away any more', async () => {
    const world = await keyWorld();
    const { vault, workspaceId } = world;
    const [present, next] = [await world.newKey(), await world.newKey()];
    await world.bring(present);
    vault.keys.add(present, (use, context) => use !== 'ReEncryptFrom' && boundTo(workspaceId)(use, context));
    const { codes, errors } = await refusalOf(world, next);
    expect(codes).toBe('cannot_move_in');
    expect(errors[0]?.reason).toContain(present);
  });
});
