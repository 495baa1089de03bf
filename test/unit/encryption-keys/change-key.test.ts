import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { bringKey } from '../../../core/encryption-keys/bring-key.ts';
import { retirePreviousKeys } from '../../../core/encryption-keys/retire-previous-keys.ts';
import { returnToVaultKey } from '../../../core/encryption-keys/return-to-vault-key.ts';
import { update } from '../../../core/kernel/entity.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { secretVersionKind, versionId } from '../../../core/secrets/secret.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { addKey, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type KeyWorld, keyWorld } from '../../support/key-world.ts';
import { boundTo } from '../../support/memory-customer-keys.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { callerWith, memoryVault } from '../../support/memory-vault.ts';

async function keyOfNewSecret({ vault, owner, workspaceId }: KeyWorld, name: string): Promise<string> {
  const { id } = await createSecret(vault, owner, { namespace: 'prod', name, value: 'v' });
  return (await vault.store.get(secretVersionKind, workspaceId, versionId(id, 1)))?.keyArn ?? '';
}

describe('bringing a key', () => {
  it('has it wrap new versions at once, keeps the former in mind, and begins to move what lies under it', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const { workspace, migration, usable } = await world.bring(keyArn);
    const since = '2026-01-01T00:00:00.000Z';
    expect(workspace).toMatchObject({ encryptionKey: { keyArn, since }, previousKeyArns: [VAULT_KEY_ARN] });
    expect(migration).toMatchObject({ keyArn, state: 'moving', reason: 'workspace', pass: 1, moved: 0 });
    expect(usable).toBe(true);
    expect(await keyOfNewSecret(world, 'new')).toBe(keyArn);
    expect(world.isAllZeroed()).toBe(true);
  });

  it('leaves a row before the first call, and one commit that says from which key to which', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    await world.bring(keyArn);
    const [proof] = world.rows('encryption_key.proof_started');
    expect(proof?.detail).toEqual({
      keyArn,
      proof: expect.stringMatching(/^sec_[0-9a-f]{32}$/),
      version: '1',
    });
    const [changed] = world.rows('encryption_key.changed');
    expect(changed).toMatchObject({
      result: 'success',
      detail: { keyArn, previousKeyArn: VAULT_KEY_ARN, mode: 'customer' },
    });
    expect(changed?.changes.map(({ kind }) => kind)).toEqual(['workspace', 'keyMigration']);
  });

  it('tries the key that the workspace has once more, and changes nothing', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    await world.bring(keyArn);
    const before = [await world.workspace(), await world.migration()];
    expect(await world.bring(keyArn)).toMatchObject({ usable: true });
    expect([await world.workspace(), await world.migration()]).toEqual(before);
    expect(world.rows('encryption_key.proof_started')).toHaveLength(2);
    expect(world.rows('encryption_key.changed')).toHaveLength(1);
    expect(world.lastRow()).toMatchObject({ action: 'encryption_key.read', detail: { unchanged: 'true' } });
    world.vault.keys.add(keyArn, () => true);
    await expect(world.bring(keyArn)).rejects.toMatchObject({ code: 'key_refused' });
    expect([await world.workspace(), await world.migration()]).toEqual(before);
  });

  it('goes back and forth in the middle of a migration, and begins it anew each time', async () => {
    const world = await keyWorld();
    const [a, b] = [await world.newKey(), await world.newKey()];
    for (const keyArn of [a, b, a, b]) {
      const { vault } = world;
      vault.clock.advance(60_000);
      await world.bring(keyArn);
      expect(await world.migration()).toMatchObject({ keyArn, pass: 1, startedAt: timeOf(world) });
      expect(await keyOfNewSecret(world, `at-${vault.clock.now()}`)).toBe(keyArn);
    }
    expect((await world.workspace()).previousKeyArns).toEqual([a, VAULT_KEY_ARN]);
  });

  it('begins a migration that was done from the first version again', async () => {
    const world = await keyWorld();
    await world.bring(await world.newKey());
    await world.endMigration();
    await world.bring(await world.newKey());
    expect(await world.migration()).toMatchObject({ state: 'moving' });
    expect(await world.migration()).not.toHaveProperty('finishedAt');
  });

  it('needs a key in the plan; going back does not', async () => {
    const world = await keyWorld();
    await world.bring(await world.newKey());
    await setPlan(world, 'compliance');
    await expect(world.bring(await world.newKey())).rejects.toMatchObject({ code: 'not_in_plan' });
    expect(await returnToVaultKey(world.vault, world.owner)).toMatchObject({
      workspace: { previousKeyArns: [expect.any(String)] },
    });
  });

  it('is refused where the plan that has it went while the key was tried', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    let isOver = false;
    world.vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append' && !isOver) {
        isOver = true;
        await setPlan({ ...world, vault: memoryVault(world.vault) }, 'compliance');
      }
      return 'none';
    };
    await expect(world.bring(keyArn)).rejects.toMatchObject({ code: 'not_in_plan' });
    expect(world.rows('encryption_key.proof_started')).toHaveLength(1);
    expect(world.rows('encryption_key.changed')).toHaveLength(0);
  });

  it('has a way back from five keys also once the vault has another one of its own', async () => {
    const world = await keyWorld();
    for (let count = 1; count <= 5; count += 1) await world.bring(await world.newKey());
    const next = 'arn:aws:kms:us-east-1:000000000000:key/next';
    const deploymentKeys = { own: next, values: next, allOwn: [next, VAULT_KEY_ARN] };
    const { workspace } = await returnToVaultKey({ ...world.vault, deploymentKeys }, world.owner);
    expect(workspace).not.toHaveProperty('encryptionKey');
    expect(workspace.previousKeyArns).toHaveLength(6);
  });

  it('is refused where values may lie under five others, and the way back never is', async () => {
    const world = await keyWorld();
    for (let count = 1; count <= 5; count += 1) await world.bring(await world.newKey());
    const keyArn = await world.newKey();
    const calls = world.vault.keys.calls.length;
    await expect(world.bring(keyArn)).rejects.toMatchObject({ code: 'key_in_use' });
    expect(world.vault.keys.calls).toHaveLength(calls);
    const { workspace } = await returnToVaultKey(world.vault, world.owner);
    expect(workspace.previousKeyArns).toHaveLength(5);
    await expect(world.bring(keyArn)).rejects.toMatchObject({ code: 'key_in_use' });
    await world.bring(workspace.previousKeyArns?.[0] ?? '');
  });
});

describe('returning to the key of the vault', () => {
  it('needs no call of the key service, so that it works without the key that is left', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    await world.bring(keyArn);
    world.vault.keys.unusable.add(keyArn);
    const calls = world.vault.keys.calls.length;
    const after = await returnToVaultKey(world.vault, world.owner);
    expect(world.vault.keys.calls).toHaveLength(calls);
    expect(after.workspace).not.toHaveProperty('encryptionKey');
    expect(after).toMatchObject({
      workspace: { previousKeyArns: [keyArn] },
      migration: { keyArn: VAULT_KEY_ARN, state: 'moving' },
      usable: null,
    });
    expect(world.rows('encryption_key.changed').at(-1)?.detail).toEqual({
      keyArn: VAULT_KEY_ARN,
      previousKeyArn: keyArn,
      mode: 'vault',
    });
    expect(await keyOfNewSecret(world, 'new')).toBe(VAULT_KEY_ARN);
  });

  it('changes nothing where no other key was set', async () => {
    const world = await keyWorld();
    const before = await world.workspace();
    expect(await returnToVaultKey(world.vault, world.owner)).toMatchObject({ migration: undefined });
    expect(await world.workspace()).toEqual(before);
    expect(world.rows('encryption_key.changed')).toEqual([]);
    expect(world.lastRow()).toMatchObject({ action: 'encryption_key.read', detail: { unchanged: 'true' } });
  });

  it('goes to the key of the one customer whose deployment this is', async () => {
    const world = await keyWorld();
    const tenantKey = world.vault.keys.add(
      'arn:aws:kms:us-east-1:444455556666:key/tenant',
      boundTo(world.workspaceId),
    );
    const deploymentKeys = { own: VAULT_KEY_ARN, values: tenantKey, allOwn: [VAULT_KEY_ARN] };
    const parts = { ...world.vault, deploymentKeys };
    const { workspace } = await world.bring(await world.newKey(), parts);
    expect(workspace.previousKeyArns).toEqual([tenantKey]);
    expect(await returnToVaultKey(parts, world.owner)).toMatchObject({ migration: { keyArn: tenantKey } });
  });
});

describe('giving up earlier keys', () => {
  it('waits for the migration, then forgets them in one commit that names them', async () => {
    const world = await keyWorld();
    const [a, b] = [await world.newKey(), await world.newKey()];
    await world.bring(a);
    await world.bring(b);
    const retire = () => retirePreviousKeys(world.vault, world.owner);
    await expect(retire()).rejects.toMatchObject({ code: 'key_in_use' });
    await world.endMigration();
    const { workspace } = await retire();
    expect(workspace).toMatchObject({ encryptionKey: { keyArn: b } });
    expect(workspace).not.toHaveProperty('previousKeyArns');
    expect(world.rows('encryption_key.previous_retired').at(-1)?.detail).toEqual({
      keyArn: b,
      retired: `${a},${VAULT_KEY_ARN}`,
    });
    expect(await retire()).toMatchObject({ workspace: { revision: workspace.revision } });
    expect(world.rows('encryption_key.previous_retired')).toHaveLength(1);
  });

  it('is refused where the migration that is done was to another key', async () => {
    const world = await keyWorld();
    await world.bring(await world.newKey());
    await world.endMigration();
    const deploymentKeys = {
      own: VAULT_KEY_ARN,
      values: 'arn:aws:kms:us-east-1:444455556666:key/t',
      allOwn: [],
    };
    const { workspace } = await returnToVaultKey(world.vault, world.owner);
    await world.endMigration();
    const elsewhere = retirePreviousKeys({ ...world.vault, deploymentKeys }, world.owner);
    await expect(elsewhere).rejects.toMatchObject({ code: 'key_in_use' });
    expect(await world.workspace()).toEqual(workspace);
  });
});

describe('whoever may change the key', () => {
  it.each([
    ['an API key', 'forbidden', () => callerWith({ role: 'owner' }).principal],
    ['an admin', 'forbidden', (person: object) => ({ ...person, role: 'admin' })],
    [
      'an owner whose step-up is over',
      'step_up_required',
      (person: object) => ({ ...person, steppedUp: false }),
    ],
  ])('is not %s', async (_, code, principalOf) => {
    const world = await keyWorld();
    const { principal } = world.owner;
    const context = {
      ...world.owner,
      principal: { ...principal, ...principalOf(principal) },
    } as typeof world.owner;
    const keyArn = await world.newKey();
    const { vault } = world;
    const calls = vault.keys.calls.length;
    await expect(bringKey(vault, context, { keyArn })).rejects.toMatchObject({ code });
    await expect(returnToVaultKey(vault, context)).rejects.toMatchObject({ code });
    await expect(retirePreviousKeys(vault, context)).rejects.toMatchObject({ code });
    expect(vault.keys.calls).toHaveLength(calls);
  });

  it('is told so over HTTP, and an admin with a key may look', async () => {
    const { vault, workspaceId, ownerToken } = await apiWorld();
    const path = '/workspace/encryption-key';
    const json = { keyArn: await vault.newCustomerKey(workspaceId) };
    const refused = await callApi(vault, { method: 'PUT', path, token: ownerToken, json });
    expect([refused.status, problemCode(refused)]).toEqual([403, 'forbidden']);
    const { token } = await addKey(vault, workspaceId, { role: 'admin' });
    expect(await callApi(vault, { method: 'GET', path, token })).toMatchObject({
      status: 200,
      json: { mode: 'vault', keyArn: VAULT_KEY_ARN, usable: true, previousKeyArns: [] },
    });
  });
});

function timeOf({ vault }: KeyWorld): string {
  return new Date(vault.clock.now()).toISOString();
}

async function setPlan({ vault, workspace, workspaceId }: KeyWorld, plan: 'compliance'): Promise<void> {
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'workspace.plan_assigned',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [update(workspaceKind, await workspace(), { plan })],
    },
  ]);
}
