import { deleteSecretsSync } from '../../../core/secrets-sync/delete-secrets-sync.ts';
import { getSecretsSync } from '../../../core/secrets-sync/get-secrets-sync.ts';
import { secretsSyncKind } from '../../../core/secrets-sync/secrets-sync.ts';
import { owningPerson } from '../../support/encryption-key-route-cases.ts';
import { CUSTOMER_ACCOUNT } from '../../support/memory-customer-keys.ts';
import { SYNC_ROLE, SYNC_SITE } from '../../support/memory-customer-secrets.ts';
import { callerWith, rowsOf } from '../../support/memory-vault.ts';
import { addSecret, runSync, type SyncWorld, setSync, syncWorld } from '../../support/sync-world.ts';

let world: SyncWorld;
beforeEach(async () => {
  world = await syncWorld();
});

const stored = () => world.vault.store.get(secretsSyncKind, world.workspaceId, world.workspaceId);
const refusal = (reason: RegExp, path = 'roleArn') => ({
  errors: [{ path, reason: expect.stringMatching(reason) as string }],
});

describe('a sync', () => {
  it('is set with a row that says who sends what where', async () => {
    await setSync(world, { namespaces: ['prod', 'dev'] });
    expect(rowsOf(world.vault, world.workspaceId).at(-1)).toMatchObject({
      action: 'secrets_sync.updated',
      actor: { type: 'user', id: 'ada' },
      detail: { target: '111122223333 us-east-1', namespaces: 'prod,dev', roleArn: SYNC_ROLE },
      changes: [{ kind: 'secretsSync', revision: 1 }],
    });
  });

  it('is told with how it goes, and with the policies of a role', async () => {
    expect((await getSecretsSync(world.vault, world.owner)).sync).toBeUndefined();
    await addSecret(world, 'db');
    await setSync(world);
    expect((await getSecretsSync(world.vault, world.owner)).state).toBeUndefined();
    await runSync(world);
    const { state, prefix, role } = await getSecretsSync(world.vault, world.owner);
    expect(state).toMatchObject({ copies: 1, faults: 0, finishedAt: world.vault.clock.now() });
    expect(prefix).toBe(`lockzero/test/${world.workspaceId}/`);
    expect(role.externalId).toBe(world.workspaceId);
    expect(role.trustPolicy.Statement).toMatchObject([
      {
        Principal: { AWS: 'arn:aws:iam::000000000000:root' },
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': SYNC_SITE.roleArns },
          StringEquals: { 'sts:ExternalId': world.workspaceId },
        },
      },
    ]);
    expect(JSON.stringify(role.permissionsPolicy)).not.toContain('GetSecretValue');
  });

  it('ends without touching anything', async () => {
    await setSync(world);
    await deleteSecretsSync(world.vault, world.owner);
    expect(await stored()).toBeUndefined();
    await expect(deleteSecretsSync(world.vault, world.owner)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is set only if it is as it was read', async () => {
    await setSync(world);
    const stale = { ...world, owner: { ...world.owner, precondition: { ifMatch: [7] } } };
    await expect(setSync(stale)).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  it('is for owners, logged in and stepped up, and for plans that have it', async () => {
    const { vault, workspaceId } = world;
    const key = callerWith({ workspaceId, role: 'owner' });
    await expect(setSync({ ...world, owner: key })).rejects.toMatchObject({ code: 'forbidden' });
    const standard = { ...vault, defaultPlan: 'standard' } as const;
    await expect(setSync({ ...world, vault: standard })).rejects.toMatchObject({ code: 'not_in_plan' });
    expect(vault.customerSecrets.calls).toEqual([]);
  });
});

describe('a role', () => {
  it.each([
    ['of another name', `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/admin`, /begins with lockzero-sync-/],
    ['with a path', `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/lockzero-sync-a/b`, /without a path/],
    ['in a folder of that name', `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/x/lockzero-sync-a`, /begins with/],
    ['that is a user', `arn:aws:iam::${CUSTOMER_ACCOUNT}:user/lockzero-sync-a`, /ARN of a role/],
    ['of another partition', `arn:aws-cn:iam::${CUSTOMER_ACCOUNT}:role/lockzero-sync-a`, /ARN of a role/],
    ['in an account that is not listed', 'arn:aws:iam::999999999999:role/lockzero-sync-a', /operator/],
    ["in the vault's own account", 'arn:aws:iam::000000000000:role/lockzero-sync-a', /own account/],
  ])('%s is refused before anybody is asked', async (_, roleArn, reason) => {
    const { vault } = world;
    vault.customerSecrets.roles.set(roleArn, () => true);
    const set = setSync(world, { roleArn });
    await expect(set).rejects.toMatchObject({ code: 'invalid_request', ...refusal(reason) });
    expect(vault.customerSecrets.calls).toEqual([]);
  });

  it("in the vault's own account is refused even where the operator lists that account", async () => {
    const syncSite = { ...SYNC_SITE, accounts: [SYNC_SITE.accountId] };
    const vault = { ...world.vault, syncSite };
    const roleArn = 'arn:aws:iam::000000000000:role/lockzero-sync-a';
    await expect(setSync({ ...world, vault }, { roleArn })).rejects.toMatchObject(refusal(/own account/));
  });

  it.each([
    ['lets nobody in', () => false, [/does not let the vault in/]],
    ['lets anybody in', () => true, [/without an external id/, /another workspace's/]],
    [
      'checks an external id only if there is one',
      (id: string | undefined, own: string) => id === undefined || id === own,
      [/without an external id/],
    ],
    [
      'demands an external id, and takes any',
      (id: string | undefined) => id !== undefined,
      [/another workspace's/],
    ],
  ])('that %s is refused', async (_, letsIn, reasons) => {
    world.vault.customerSecrets.roles.set(SYNC_ROLE, (id) => letsIn(id, world.workspaceId));
    await expect(setSync(world)).rejects.toMatchObject({
      code: 'receiver_refused',
      errors: reasons.map((reason) => ({ path: 'roleArn', reason: expect.stringMatching(reason) as string })),
    });
    expect(await stored()).toBeUndefined();
  });

  it('of another tenant is refused: its external id is theirs', async () => {
    const theirs = `arn:aws:iam::${CUSTOMER_ACCOUNT}:role/lockzero-sync-theirs`;
    world.vault.customerSecrets.roles.set(theirs, (id) => id === `ws_${'b'.repeat(32)}`);
    await expect(setSync(world, { roleArn: theirs })).rejects.toMatchObject(
      refusal(/does not let the vault in/),
    );
  });

  it('without the permissions is refused, with what to do', async () => {
    world.vault.customerSecrets.refuse = (call) => (call === 'look' ? 'access_denied' : undefined);
    await expect(setSync(world)).rejects.toMatchObject(refusal(/attach the permissions policy/));
    expect(world.vault.customerSecrets.openSessions).toBe(0);
  });

  it('is neither taken nor refused while nobody can tell', async () => {
    world.vault.tables.faults = async ({ name }) => (name === 'customerSecrets.letsIn' ? 'before' : 'none');
    await expect(setSync(world)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await stored()).toBeUndefined();
  });
});

describe('settings', () => {
  it.each([
    ['a namespace that bootstrap keys have', { namespaces: ['bootstrap'] }, 'namespaces'],
    ['another region without a role', { roleArn: undefined, region: 'eu-central-1' }, 'region'],
    ['no region at all', { region: 'everywhere' }, 'region'],
  ])('with %s are refused', async (_, settings, path) => {
    await expect(setSync(world, settings)).rejects.toMatchObject(refusal(/must/, path));
  });

  it('with a region that has no FIPS endpoints are refused, before anybody is asked, where the vault calls no others', async () => {
    const fips = { ...world, vault: { ...world.vault, syncSite: { ...SYNC_SITE, fips: true } } };
    for (const region of ['eu-central-1', 'sa-east-1'])
      await expect(setSync(fips, { region })).rejects.toMatchObject(refusal(/in the US or Canada/, 'region'));
    expect(world.vault.customerSecrets.calls).toEqual([]);
    for (const region of ['us-gov-west-1', 'ca-central-1', undefined]) await setSync(fips, { region });
    await setSync(world, { region: 'eu-central-1' });
  });

  it('of one workspace do not concern another', async () => {
    await setSync(world);
    const stranger = owningPerson('ws_2');
    expect((await getSecretsSync(world.vault, stranger)).sync).toBeUndefined();
  });
});
