import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { AuditTrail } from '../../../core/audit/trail.ts';
import type { KeyService } from '../../../core/crypto/key-service.ts';
import { keyMigrationKind } from '../../../core/encryption-keys/key-migration.ts';
import { retirePreviousKeys } from '../../../core/encryption-keys/retire-previous-keys.ts';
import { returnToVaultKey } from '../../../core/encryption-keys/return-to-vault-key.ts';
import { update } from '../../../core/kernel/entity.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { secretVersionKind, versionId } from '../../../core/secrets/secret.ts';
import { changeWorkspace } from '../../support/api-world.ts';
import { type KeyWorld, keyWorld } from '../../support/key-world.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { memoryVault } from '../../support/memory-vault.ts';

/** A trail that lets something happen right before the first commit of this action, or right after it took effect. */
function interrupted(
  { trail }: { readonly trail: AuditTrail },
  action: string,
  { before, after }: { readonly before?: () => Promise<unknown>; readonly after?: () => never },
): AuditTrail {
  let isFirst = true;
  return {
    async commit(origin, events) {
      const isMeant =
        isFirst && events.some((event) => event.action === action && event.result === 'success');
      if (isMeant) {
        isFirst = false;
        await before?.();
      }
      const positions = await trail.commit(origin, events);
      if (isMeant) after?.();
      return positions;
    },
  };
}

/** A key service that lets something happen right after the first data key is made. */
function interruptedKeys({ vault }: KeyWorld, happen: () => Promise<unknown>): KeyService {
  const { keys } = vault;
  let isFirst = true;
  return {
    generateDataKey: async (...args) => {
      const dataKey = await keys.generateDataKey(...args);
      if (isFirst) {
        isFirst = false;
        await happen();
      }
      return dataKey;
    },
    decrypt: (...args) => keys.decrypt(...args),
    reEncrypt: (...args) => keys.reEncrypt(...args),
  };
}

describe('two who change the key at once', () => {
  it('to the same one both have it so, by one change', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const answers = await Promise.all([world.bring(keyArn), world.bring(keyArn)]);
    for (const answer of answers)
      expect(answer).toMatchObject({ workspace: { encryptionKey: { keyArn } }, usable: true });
    expect(world.rows('encryption_key.changed')).toHaveLength(1);
    expect(await world.migration()).toMatchObject({ revision: 1 });
  });

  it('to different ones: one wins, and the other is told, for its trial was of another move', async () => {
    const world = await keyWorld();
    const keyArns = [await world.newKey(), await world.newKey()];
    const answers = await Promise.allSettled(keyArns.map((keyArn) => world.bring(keyArn)));
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.map(({ reason }) => reason.code)).toEqual(['concurrent_change']);
    const winner = keyArns[answers.findIndex(({ status }) => status === 'fulfilled')];
    expect(await world.workspace()).toMatchObject({
      encryptionKey: { keyArn: winner },
      previousKeyArns: [VAULT_KEY_ARN],
    });
    expect(await world.migration()).toMatchObject({ keyArn: winner });
  });

  it('one of them back to the key of the vault, in the middle of the other one: the later one is told', async () => {
    const world = await keyWorld();
    const [a, b] = [await world.newKey(), await world.newKey()];
    await world.bring(a);
    const trail = interrupted(world.vault, 'encryption_key.changed', {
      before: () => returnToVaultKey(world.vault, world.owner),
    });
    await expect(world.bring(b, { ...world.vault, trail })).rejects.toMatchObject({
      code: 'concurrent_change',
    });
    expect(await world.workspace()).toMatchObject({ previousKeyArns: [a] });
    expect(await world.migration()).toMatchObject({ keyArn: VAULT_KEY_ARN });
  });

  it('and a retry after an answer that was lost finds it done', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const trail = interrupted(world.vault, 'encryption_key.changed', {
      after: () => {
        throw unavailable('The answer was lost.');
      },
    });
    await expect(world.bring(keyArn, { ...world.vault, trail })).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(await world.bring(keyArn)).toMatchObject({ workspace: { encryptionKey: { keyArn } } });
    expect(world.rows('encryption_key.changed')).toHaveLength(1);
  });
});

describe('a change that others come before', () => {
  it('of the workspace in other ways is made all the same', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const trail = interrupted(world.vault, 'encryption_key.changed', {
      before: () => changeWorkspace(world.vault, world.workspaceId, { name: 'Renamed' }),
    });
    await world.bring(keyArn, { ...world.vault, trail });
    expect(await world.workspace()).toMatchObject({ name: 'Renamed', encryptionKey: { keyArn } });
  });

  it('of the migration that it puts an end to is made all the same', async () => {
    const world = await keyWorld();
    const [a, b] = [await world.newKey(), await world.newKey()];
    await world.bring(a);
    const trail = interrupted(world.vault, 'encryption_key.changed', { before: () => moveOn(world) });
    await world.bring(b, { ...world.vault, trail });
    expect(await world.migration()).toMatchObject({ keyArn: b, moved: 0, pass: 1, revision: 3 });
  });
});

describe('a writer who is late', () => {
  const write = (world: KeyWorld, keys: KeyService) =>
    createSecret({ ...world.vault, keys }, world.owner, { namespace: 'prod', name: 'late', value: 'v' });

  const keyOf = async ({ vault, workspaceId }: KeyWorld, id: string) =>
    (await vault.store.get(secretVersionKind, workspaceId, versionId(id, 1)))?.keyArn;

  it('seals once more under the key that came meanwhile', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const { id } = await write(
      world,
      interruptedKeys(world, () => world.bring(keyArn)),
    );
    expect(await keyOf(world, id)).toBe(keyArn);
    expect(await revealSecret(world.vault, world.owner, { id })).toMatchObject({ value: 'v' });
  });

  it('leaves nothing under a key that was given up meanwhile', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    const giveUp = async () => {
      await world.bring(keyArn);
      await world.endMigration();
      await retirePreviousKeys(world.vault, world.owner);
      world.vault.keys.unusable.add(VAULT_KEY_ARN);
    };
    const { id } = await write(world, interruptedKeys(world, giveUp));
    expect(await keyOf(world, id)).toBe(keyArn);
    expect(await revealSecret(world.vault, world.owner, { id })).toMatchObject({ value: 'v' });
  });
});

describe('giving up earlier keys', () => {
  it('is refused when another key is brought right before its commit', async () => {
    const world = await keyWorld();
    const [a, b] = [await world.newKey(), await world.newKey()];
    await world.bring(a);
    await world.endMigration();
    const trail = interrupted(world.vault, 'encryption_key.previous_retired', {
      before: () => world.bring(b),
    });
    const retired = retirePreviousKeys({ ...world.vault, trail }, world.owner);
    await expect(retired).rejects.toMatchObject({ code: 'key_in_use' });
    expect((await world.workspace()).previousKeyArns).toEqual([a, VAULT_KEY_ARN]);
  });

  it('is refused when a migration to the same key begins again right before its commit', async () => {
    const world = await keyWorld();
    await world.bring(await world.newKey());
    await world.endMigration();
    const trail = interrupted(world.vault, 'encryption_key.previous_retired', {
      before: () => moveOn(world),
    });
    const retired = retirePreviousKeys({ ...world.vault, trail }, world.owner);
    await expect(retired).rejects.toMatchObject({ code: 'key_in_use' });
  });

  it('at once in two instances is one change, and no error', async () => {
    const world = await keyWorld();
    await world.bring(await world.newKey());
    await world.endMigration();
    const other = memoryVault(world.vault);
    await Promise.all([retirePreviousKeys(world.vault, world.owner), retirePreviousKeys(other, world.owner)]);
    expect(world.rows('encryption_key.previous_retired')).toHaveLength(1);
  });
});

/** The job has moved some more versions. */
async function moveOn({ vault, workspaceId, migration }: KeyWorld): Promise<void> {
  const moved = update(keyMigrationKind, await migration(), { state: 'moving', moved: 20 });
  await vault.trail.commit(systemOrigin(workspaceId, 'rewrapper'), [
    {
      action: 'encryption_key.versions_rewrapped',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [moved],
    },
  ]);
}
