import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { deleteSecretsSync } from '../../../core/secrets-sync/delete-secrets-sync.ts';
import { LOOK_AGAIN_MS } from '../../../core/secrets-sync/due-copies.ts';
import { syncDeployment } from '../../../core/secrets-sync/sync-deployment.ts';
import { syncWorkspace } from '../../../core/secrets-sync/sync-workspace.ts';
import { makeCurrent, SYNC_SITE } from '../../support/memory-customer-secrets.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import {
  addSecret,
  callsDuring,
  changeSecret,
  copyOf,
  heldIn,
  rowsNamed,
  runSync,
  type SyncWorld,
  setSync,
  syncWorld,
} from '../../support/sync-world.ts';

let world: SyncWorld;
beforeEach(async () => {
  world = await syncWorld();
});

/** All values of a copy that can be read. */
const valuesIn = (name: string) => [...(heldIn(world, name)?.versions.values() ?? [])];

describe('what is copied', () => {
  it('puts each secret of the chosen namespaces there, named and tagged, and no other', async () => {
    const id = await addSecret(world, 'db');
    await addSecret(world, 'db', { namespace: 'dev' });
    await addSecret(world, 'trap', { decoy: true });
    await setSync(world);
    expect(await runSync(world)).toEqual({ copied: 1, removed: 0, failed: 0 });
    expect(copyOf(world, 'prod/db')).toBe('value of db');
    expect(heldIn(world, 'prod/db')?.owner).toEqual({ workspaceId: world.workspaceId, subjectId: id });
    expect(heldIn(world, 'dev/db')).toBeUndefined();
    expect(heldIn(world, 'prod/trap')).toBeUndefined();
    expect(world.vault.customerSecrets.openSessions).toBe(0);
  });

  it('writes the row before the key service is asked, and one for each opening', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    const seen: string[][] = [];
    world.vault.keys.log = () => void seen.push(rowsNamed(world, 'secret.synced'));
    await runSync(world);
    expect(seen).toEqual([[`success ${id}`]]);
    const [row] = rowsOf(world.vault, world.workspaceId).filter(({ action }) => action === 'secret.synced');
    expect(row).toMatchObject({
      actor: { type: 'system', id: 'syncer' },
      entity: { type: 'secret', id },
      detail: { version: '1', namespace: 'prod', target: '111122223333 us-east-1' },
    });
  });

  it('opens nothing, and looks at nothing, while nothing changes', async () => {
    await addSecret(world, 'a');
    await addSecret(world, 'b');
    await setSync(world);
    await runSync(world);
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1 });
  });

  it('puts a new value in the place of the one before, which is let go', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    for (const value of ['second', 'third']) {
      await changeSecret(world, id, value);
      const calls = await callsDuring(world, () => runSync(world));
      expect(calls).toEqual({ open: 1, look: 1, decrypt: 1, put: 1, makeCurrent: 1, letGo: 1 });
      expect(copyOf(world, 'prod/db')).toBe(value);
      expect(valuesIn('prod/db')).toEqual([value]);
    }
    world.vault.clock.advance(LOOK_AGAIN_MS);
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1, look: 1 });
  });

  it('lets go, without opening anything, of the value before that a run left behind', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    await changeSecret(world, id, 'second');
    world.vault.customerSecrets.refuse = (call) => (call === 'letGo' ? 'unavailable' : undefined);
    expect(await runSync(world)).toMatchObject({ failed: 1 });
    expect(valuesIn('prod/db')).toEqual(['value of db', 'second']);
    world.vault.customerSecrets.refuse = () => undefined;
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1, look: 1, letGo: 1 });
    expect(valuesIn('prod/db')).toEqual(['second']);
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1 });
  });

  it('lets go, within a week, of the value before that an earlier version of the vault left there', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    const held = heldIn(world, 'prod/db');
    held?.versions.set('x', 'leaked');
    Object.assign(held ?? {}, { kept: { previous: 'x' } });
    world.vault.clock.advance(LOOK_AGAIN_MS);
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1, look: 1, letGo: 1 });
    expect(valuesIn('prod/db')).toEqual(['value of db']);
  });

  it('keeps copies in the account of the vault where no role is named', async () => {
    await addSecret(world, 'db');
    await setSync(world, { roleArn: undefined });
    await runSync(world);
    expect(copyOf(world, 'prod/db', `${SYNC_SITE.accountId} us-east-1`)).toBe('value of db');
    expect(copyOf(world, 'prod/db')).toBeUndefined();
  });

  it('reads notes and secrets over many pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await addSecret(world, name);
    world.vault.syncRecords.notesPerPage = 2;
    await setSync(world);
    expect(await runSync(world)).toMatchObject({ copied: 7 });
    expect(await callsDuring(world, () => runSync(world))).toEqual({ open: 1 });
  });
});

describe('what is taken away', () => {
  it('is a deleted secret, for as long as it is deleted', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    await deleteSecret(world.vault, world.owner, id);
    expect(await runSync(world)).toEqual({ copied: 0, removed: 1, failed: 0 });
    expect(copyOf(world, 'prod/db')).toBeUndefined();
    expect(rowsNamed(world, 'secret.sync_removed')).toEqual([`success ${id}`]);
    await restoreSecret(world.vault, world.owner, id);
    // The value lies there already: it is restored without being opened.
    const calls = await callsDuring(world, () => runSync(world));
    expect(calls).toEqual({ open: 1, look: 1, restore: 1 });
    expect(copyOf(world, 'prod/db')).toBe('value of db');
  });

  it('is what lies in a namespace that is not synced any more', async () => {
    await addSecret(world, 'db');
    await addSecret(world, 'db', { namespace: 'dev', value: 'other' });
    await setSync(world, { namespaces: ['prod', 'dev'] });
    await runSync(world);
    await setSync(world, { namespaces: ['dev'] });
    expect(await runSync(world)).toMatchObject({ copied: 0, removed: 1 });
    expect([copyOf(world, 'prod/db'), copyOf(world, 'dev/db')]).toEqual([undefined, 'other']);
    await setSync(world, { namespaces: [] });
    await runSync(world);
    expect(copyOf(world, 'dev/db')).toBeUndefined();
  });

  it('is not what an ended sync left, nor what lies where the sync led before', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    await setSync(world, { region: 'eu-central-1' });
    await runSync(world);
    expect(copyOf(world, 'prod/db', '111122223333 eu-central-1')).toBe('value of db');
    expect(copyOf(world, 'prod/db')).toBe('value of db');
    await deleteSecretsSync(world.vault, world.owner);
    expect(await callsDuring(world, () => runSync(world))).toEqual({});
    expect(copyOf(world, 'prod/db')).toBe('value of db');
  });

  it.each([
    ['was taken away', 1],
    ['is still there', 0],
  ])(
    'hands the copy of a purged secret on to one of the same name, and keeps no value: it %s',
    async (_, runs) => {
      const id = await addSecret(world, 'db');
      await setSync(world);
      await runSync(world);
      await changeSecret(world, id, 'purged');
      await runSync(world);
      await deleteSecret(world.vault, world.owner, id);
      for (let run = 1; run <= runs; run += 1) await runSync(world);
      expect(copyOf(world, 'prod/db')).toBe(runs === 0 ? 'purged' : undefined);
      await purgeSecret(world.vault, world.owner, id);
      const next = await addSecret(world, 'db', { value: 'of the next one' });
      await runSync(world);
      await runSync(world);
      expect(copyOf(world, 'prod/db')).toBe('of the next one');
      expect(valuesIn('prod/db')).toEqual(['of the next one']);
      expect(heldIn(world, 'prod/db')?.owner?.subjectId).toBe(next);
    },
  );
});

describe('what somebody does to copies', () => {
  it('never overwrites, nor removes, what the vault did not make', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    const name = `lockzero/test/${world.workspaceId}/prod/db`;
    const theirs = { owner: undefined, isDeleted: false, current: 'x', versions: new Map([['x', 'theirs']]) };
    world.vault.customerSecrets.secretsOf('111122223333 us-east-1').set(name, theirs);
    expect(await runSync(world)).toEqual({ copied: 0, removed: 0, failed: 1 });
    expect(rowsNamed(world, 'secrets_sync.failed')).toEqual([`failure ${id}`]);
    await deleteSecret(world.vault, world.owner, id);
    world.vault.clock.advance(60 * 60_000);
    await runSync(world);
    expect(copyOf(world, 'prod/db')).toBe('theirs');
    expect(world.vault.keys.calls.filter((call) => call === 'decrypt')).toEqual([]);
  });

  it.each([
    ['another workspace', { workspaceId: `ws_${'b'.repeat(32)}`, subjectId: 'sec_1' }],
    ['another secret that is still there', undefined],
  ])('takes a copy of %s for one that it did not make', async (_, owner) => {
    const other = await addSecret(world, 'other', { namespace: 'dev' });
    await addSecret(world, 'db');
    await setSync(world);
    const name = `lockzero/test/${world.workspaceId}/prod/db`;
    world.vault.customerSecrets.secretsOf('111122223333 us-east-1').set(name, {
      owner: owner ?? { workspaceId: world.workspaceId, subjectId: other },
      isDeleted: false,
      current: 'x',
      versions: new Map([['x', 'theirs']]),
    });
    expect(await runSync(world)).toMatchObject({ failed: 1 });
    expect(copyOf(world, 'prod/db')).toBe('theirs');
  });

  it('puts back, within a week, what somebody changed or removed there; at once when the sync is set anew', async () => {
    await addSecret(world, 'a');
    await addSecret(world, 'b');
    await setSync(world);
    await runSync(world);
    const changeThere = () => {
      const a = heldIn(world, 'prod/a');
      a?.versions.set('x', 'changed');
      if (a !== undefined) makeCurrent(a, 'x');
    };
    changeThere();
    world.vault.customerSecrets
      .secretsOf('111122223333 us-east-1')
      .delete(`lockzero/test/${world.workspaceId}/prod/b`);
    await runSync(world);
    expect([copyOf(world, 'prod/a'), copyOf(world, 'prod/b')]).toEqual(['changed', undefined]);
    await setSync(world);
    await runSync(world);
    expect([copyOf(world, 'prod/a'), copyOf(world, 'prod/b')]).toEqual(['value of a', 'value of b']);
    changeThere();
    expect(copyOf(world, 'prod/a')).toBe('changed');
    world.vault.clock.advance(LOOK_AGAIN_MS);
    await runSync(world);
    expect(copyOf(world, 'prod/a')).toBe('value of a');
    expect(valuesIn('prod/a')).toEqual(['value of a']);
  });
});

describe('two runs at once', () => {
  it('share no work', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    const both = () => Promise.all([runSync(world), runSync(world)]);
    expect(await callsDuring(world, both)).toMatchObject({ open: 1, create: 1, decrypt: 1 });
  });

  it('never put an older value on top, however late the older one comes', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    await changeSecret(world, id, 'second');
    const waiting = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    world.vault.tables.faults = async ({ name }) => {
      if (name === 'customerSecrets.put') {
        world.vault.tables.faults = async () => 'none';
        reached.resolve();
        await waiting.promise;
      }
      return 'none';
    };
    const late = runSync(world);
    await reached.promise;
    await changeSecret(world, id, 'third');
    world.vault.clock.advance(10 * 60_000);
    await runSync(world);
    expect(copyOf(world, 'prod/db')).toBe('third');
    waiting.resolve();
    await late;
    expect(copyOf(world, 'prod/db')).toBe('third');
    expect(valuesIn('prod/db')).toEqual(['third', 'second']);
    await runSync(world);
    expect(copyOf(world, 'prod/db')).toBe('third');
    expect(valuesIn('prod/db')).toEqual(['third']);
  });
});

describe('a sync that somebody sets otherwise while a run is under way', () => {
  it.each([
    ['ended', () => deleteSecretsSync(world.vault, world.owner)],
    ['set to other namespaces', () => setSync(world, { namespaces: [] })],
  ])('opens nothing any more once it is %s', async (_, change) => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await addSecret(world, name);
    await setSync(world);
    let begun = false;
    world.vault.tables.answers = async ({ name }) => {
      if (begun || name !== 'customerSecrets.create') return;
      begun = true;
      await change();
    };
    expect(await runSync(world)).toEqual({ copied: 5, removed: 0, failed: 0 });
    expect(rowsNamed(world, 'secret.synced')).toHaveLength(5);
    expect(world.vault.customerSecrets.openSessions).toBe(0);
  });

  it('removes nothing any more once it is ended', async () => {
    const id = await addSecret(world, 'db');
    await setSync(world);
    await runSync(world);
    await deleteSecret(world.vault, world.owner, id);
    let begun = false;
    world.vault.tables.answers = async ({ name }) => {
      if (begun || name !== 'customerSecrets.look') return;
      begun = true;
      await deleteSecretsSync(world.vault, world.owner);
    };
    expect(await runSync(world)).toEqual({ copied: 0, removed: 0, failed: 0 });
    expect(copyOf(world, 'prod/db')).toBe('value of db');
  });
});

describe('a deployment', () => {
  it('syncs all workspaces, and one that fails keeps no other from it', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    const report = await syncDeployment(world.parts, () => true);
    expect(report).toEqual({ workspaces: 1, copied: 1, removed: 0, failed: 0, failures: [] });
    world.vault.tables.faults = async ({ name }) => (name === 'syncRecords.read' ? 'before' : 'none');
    const failed = await syncDeployment(world.parts, () => true);
    expect(failed.failures).toMatchObject([
      { workspaceId: world.workspaceId, error: { code: 'unavailable' } },
    ]);
  });

  it('begins nothing when its time is up', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    expect(await syncDeployment(world.parts, () => false)).toMatchObject({ workspaces: 0 });
    expect(await syncWorkspace(world.parts, world.workspaceId, () => false)).toMatchObject({ copied: 0 });
    expect(copyOf(world, 'prod/db')).toBeUndefined();
  });
});
