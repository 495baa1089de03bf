import type { RequestContext } from '../../../core/access/principal.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { listSecrets } from '../../../core/secrets/list-secrets.ts';
import { purgeExpired } from '../../../core/secrets/purge-expired.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { RECOVERY_WINDOW_MS } from '../../../core/secrets/secret.ts';
import { addWorkspace } from '../../support/api-world.ts';
import {
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
});
afterEach(async () => {
  vault.tables.faults = async () => 'none';
  vault.tables.answers = async () => undefined;
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const make = async (name = 'db'): Promise<string> =>
  (await createSecret(vault, owner, { namespace: 'prod', name, value: 'v1' })).id;
const kinds = () => {
  const groups = Object.groupBy(vault.tables.entities.values(), ({ entity }) => entity.kind);
  return [groups['secret'], groups['secretVersion'], groups['secretName']].map((group) => group?.length ?? 0);
};
const names = async (deleted: boolean) =>
  (await listSecrets(vault, owner, { deleted }, { limit: 50 })).items.map(({ name }) => name);
const actions = () => rowsOf(vault, workspaceId).map(({ action }) => action);

describe('a deleted secret', () => {
  it('is out of sight at once, keeps its name, and is listed among the deleted', async () => {
    const id = await make();
    await deleteSecret(vault, owner, id);
    await expect(getSecret(vault, owner, id)).rejects.toMatchObject({ code: 'secret_deleted' });
    await expect(putValue(vault, owner, id, 'x')).rejects.toMatchObject({ code: 'secret_deleted' });
    await expect(deleteSecret(vault, owner, id)).rejects.toMatchObject({ code: 'secret_deleted' });
    await expect(make()).rejects.toMatchObject({ code: 'name_taken' });
    expect([await names(false), await names(true)]).toEqual([[], ['db']]);
  });

  it('comes back as it was', async () => {
    const id = await make();
    await deleteSecret(vault, owner, id);
    expect(await restoreSecret(vault, owner, id)).not.toHaveProperty('deletedAt');
    expect([await names(false), await names(true)]).toEqual([['db'], []]);
    await expect(restoreSecret(vault, owner, id)).rejects.toMatchObject({ code: 'not_deleted' });
  });

  it('comes back to the last millisecond of seven days, and not one later', async () => {
    const [first, second] = [await make('a'), await make('b')];
    await deleteSecret(vault, owner, first);
    await deleteSecret(vault, owner, second);
    vault.clock.advance(RECOVERY_WINDOW_MS);
    expect(await purgeExpired(vault)).toEqual({ purged: 0, failures: [] });
    expect(await restoreSecret(vault, owner, first)).toMatchObject({ name: 'a' });
    vault.clock.advance(1);
    await expect(restoreSecret(vault, owner, second)).rejects.toMatchObject({ code: 'recovery_window_over' });
    expect(await purgeExpired(vault)).toEqual({ purged: 1, failures: [] });
    expect(await names(false)).toEqual(['a']);
  });

  it('counts seven days from its last deletion', async () => {
    const id = await make();
    await deleteSecret(vault, owner, id);
    vault.clock.advance(RECOVERY_WINDOW_MS);
    await restoreSecret(vault, owner, id);
    await deleteSecret(vault, owner, id);
    vault.clock.advance(RECOVERY_WINDOW_MS);
    expect(await purgeExpired(vault)).toEqual({ purged: 0, failures: [] });
    expect(await restoreSecret(vault, owner, id)).toMatchObject({ id });
  });
});

describe('a purge', () => {
  it('destroys all versions and the name; the rows stay', async () => {
    const id = await make();
    await putValue(vault, owner, id, 'v2');
    await deleteSecret(vault, owner, id);
    await purgeSecret(vault, owner, id);
    expect(kinds()).toEqual([0, 0, 0]);
    expect(actions().slice(-2)).toEqual(['secret.purge_started', 'secret.purged']);
    await expect(getSecret(vault, owner, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await make()).not.toBe(id);
  });

  it('is for owners, and for what was deleted first', async () => {
    const id = await make();
    await expect(purgeSecret(vault, owner, id)).rejects.toMatchObject({ code: 'not_deleted' });
    await deleteSecret(vault, owner, id);
    const admin = callerWith({ workspaceId, role: 'admin' });
    await expect(purgeSecret(vault, admin, id)).rejects.toMatchObject({ code: 'forbidden' });
    const stale = { ...owner, precondition: { ifMatch: [1] } };
    await expect(purgeSecret(vault, stale, id)).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  it.each([39, 40, 41, 80, 95])('of %i versions goes slice by slice', async (versions) => {
    const id = await make();
    for (let version = 2; version <= versions; version += 1) await putValue(vault, owner, id, 'v');
    await deleteSecret(vault, owner, id);
    await purgeSecret(vault, owner, id);
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('that dies at any call is finished by the next one, and cannot be undone between', async () => {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      ({ vault, owner } = await installedVault());
      ({ workspaceId } = owner.principal);
      const id = await make();
      for (let version = 2; version <= 45; version += 1) await putValue(vault, owner, id, 'v');
      await deleteSecret(vault, owner, id);
      calls = 0;
      let dead = false;
      vault.tables.answers = async () => {
        calls += 1;
        dead ||= calls === at;
        if (dead) throw new Error('The process is gone.');
      };
      await purgeSecret(vault, owner, id).catch(() => undefined);
      vault.tables.answers = async () => undefined;
      const started = actions().includes('secret.purge_started') && kinds()[0] === 1;
      if (started) {
        await expect(restoreSecret(memoryVault(vault), owner, id)).rejects.toMatchObject({
          code: 'recovery_window_over',
        });
      }
      await purgeSecret(memoryVault(vault), owner, id).catch((error: { code: string }) => {
        if (error.code !== 'not_found') throw error;
      });
      expect({ at, kinds: kinds() }).toEqual({ at, kinds: [0, 0, 0] });
    }
  });

  it('and a restoration at once: one of them wins', async () => {
    const id = await make();
    await deleteSecret(vault, owner, id);
    const results = await Promise.allSettled([
      purgeSecret(vault, owner, id),
      restoreSecret(memoryVault(vault), owner, id),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect([
      [0, 0, 0],
      [1, 1, 1],
    ]).toContainEqual(kinds());
  });
});

describe('the daily purge', () => {
  it('takes what is over in every workspace, oldest first, and nothing else', async () => {
    for (const name of ['a', 'b', 'c']) {
      await deleteSecret(vault, owner, await make(name));
      vault.clock.advance(1_000);
    }
    await make('kept');
    vault.clock.advance(RECOVERY_WINDOW_MS - 1_500);
    expect(await purgeExpired(vault)).toEqual({ purged: 2, failures: [] });
    expect([await names(false), await names(true)]).toEqual([['kept'], ['c']]);
    expect(rowsOf(vault, workspaceId).filter(({ action }) => action === 'secret.purged')).toMatchObject([
      { actor: { type: 'system', id: 'purge' } },
      { actor: { type: 'system', id: 'purge' } },
    ]);
  });

  it('goes through more than one page', async () => {
    for (let index = 0; index < 60; index += 1) await deleteSecret(vault, owner, await make(`n${index}`));
    vault.clock.advance(RECOVERY_WINDOW_MS + 1);
    expect(await purgeExpired(vault)).toEqual({ purged: 60, failures: [] });
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('finishes a purge that died, though older deletions still wait for their time', async () => {
    await deleteSecret(vault, owner, await make('older'));
    vault.clock.advance(1_000);
    const id = await make('half');
    await deleteSecret(vault, owner, id);
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') appends += 1;
      return appends > 1 ? 'before' : 'none';
    };
    await expect(purgeSecret(vault, owner, id)).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    expect(await purgeExpired(memoryVault(vault))).toEqual({ purged: 1, failures: [] });
    expect(await names(true)).toEqual(['older']);
  });

  it('goes on after one that cannot be purged, says so, and takes it the next time', async () => {
    const ids = [await make('a'), await make('b'), await make('c')];
    for (const id of ids) await deleteSecret(vault, owner, id);
    vault.clock.advance(RECOVERY_WINDOW_MS + 1);
    let reads = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'store.listChildren') reads += 1;
      return name === 'store.listChildren' && reads === 2 ? 'before' : 'none';
    };
    const report = await purgeExpired(vault);
    expect(report).toMatchObject({ purged: 2, failures: [{ workspaceId, error: { code: 'unavailable' } }] });
    vault.tables.faults = async () => 'none';
    expect(await names(true)).toHaveLength(1);
    expect(await purgeExpired(vault)).toEqual({ purged: 1, failures: [] });
    expect(kinds()).toEqual([0, 0, 0]);
  });

  it('goes on with the next workspace when the secrets of one cannot be listed', async () => {
    await deleteSecret(vault, owner, await make());
    await addWorkspace(vault);
    vault.clock.advance(RECOVERY_WINDOW_MS + 1);
    let lists = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'store.list') lists += 1;
      // The first list is that of the workspaces.
      return name === 'store.list' && lists === 2 ? 'before' : 'none';
    };
    const { failures } = await purgeExpired(vault);
    expect(failures).toMatchObject([{ error: { code: 'unavailable' } }]);
    expect(lists).toBe(3);
  });

  it('leaves alone what was restored after the list was read', async () => {
    const id = await make();
    await deleteSecret(vault, owner, id);
    vault.clock.advance(RECOVERY_WINDOW_MS);
    const other = memoryVault(vault);
    vault.tables.answers = async ({ name }) => {
      if (name !== 'store.list') return;
      vault.tables.answers = async () => undefined;
      await restoreSecret(other, owner, id);
      vault.clock.advance(1);
    };
    expect(await purgeExpired(vault)).toEqual({ purged: 0, failures: [] });
    expect(await names(false)).toEqual(['db']);
  });
});
