import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { listNamespaces } from '../../../core/namespaces/list-namespaces.ts';
import { namespaceKind } from '../../../core/namespaces/namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import {
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
});

const namespace = (name: string) => vault.store.get(namespaceKind, workspaceId, name);
const secret = (name: string, at = vault) => createSecret(at, owner, { namespace: 'prod', name, value: 'v' });
const actions = () => rowsOf(vault, workspaceId).map(({ action }) => action);

describe('making a namespace', () => {
  it('needs a name that is free', async () => {
    await createNamespace(vault, owner, { name: 'prod' });
    await expect(createNamespace(vault, owner, { name: 'prod' })).rejects.toMatchObject({
      code: 'name_taken',
    });
  });

  it('of two at once is done once', async () => {
    const results = await Promise.allSettled(
      [vault, memoryVault(vault)].map((at) => createNamespace(at, owner, { name: 'prod' })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'name_taken' },
    });
  });

  it('is for operators, in the namespaces that they have', async () => {
    const limited = callerWith({ workspaceId, namespaces: ['dev'] });
    await expect(createNamespace(vault, limited, { name: 'prod' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await createNamespace(vault, limited, { name: 'dev' })).toMatchObject({
      id: 'dev',
      state: 'open',
    });
  });

  it('comes by itself with its first secret, of two at once too', async () => {
    await Promise.all([secret('a'), secret('b', memoryVault(vault))]);
    expect(actions().filter((action) => action === 'namespace.created')).toHaveLength(1);
    expect(await namespace('prod')).toMatchObject({ state: 'open', createdBy: owner.principal.id });
  });
});

describe('deleting a namespace', () => {
  it('closes it first, and then removes it', async () => {
    await createNamespace(vault, owner, { name: 'prod' });
    await deleteNamespace(vault, owner, 'prod');
    expect(actions().slice(-2)).toEqual(['namespace.closed', 'namespace.deleted']);
    expect(await namespace('prod')).toBeUndefined();
    await expect(deleteNamespace(vault, owner, 'prod')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that holds a secret is refused, and it is open again', async () => {
    await secret('a');
    await expect(deleteNamespace(vault, owner, 'prod')).rejects.toMatchObject({
      code: 'namespace_not_empty',
    });
    expect(await namespace('prod')).toMatchObject({ state: 'open' });
    await secret('b');
  });

  it('counts a deleted secret until it is purged', async () => {
    const { id } = await secret('a');
    await deleteSecret(vault, owner, id);
    await expect(deleteNamespace(vault, owner, 'prod')).rejects.toMatchObject({
      code: 'namespace_not_empty',
    });
    await purgeSecret(vault, owner, id);
    await deleteNamespace(vault, owner, 'prod');
    expect(await namespace('prod')).toBeUndefined();
  });

  it('crashed after closing leaves it closed: nothing gets in, and deleting it goes on', async () => {
    await createNamespace(vault, owner, { name: 'prod' });
    vault.tables.faults = async ({ name }) => (name === 'store.listChildren' ? 'before' : 'none');
    await expect(deleteNamespace(vault, owner, 'prod')).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    expect(await namespace('prod')).toMatchObject({ state: 'closing' });
    await expect(secret('a')).rejects.toMatchObject({ code: 'concurrent_change' });
    await expect(createNamespace(vault, owner, { name: 'prod' })).rejects.toMatchObject({
      code: 'name_taken',
    });
    await deleteNamespace(vault, owner, 'prod');
    expect(await namespace('prod')).toBeUndefined();
  });

  it('interrupted at any call by a secret that is made there never leaves the secret without it', async () => {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      ({ vault, owner } = await installedVault());
      ({ workspaceId } = owner.principal);
      await createNamespace(vault, owner, { name: 'prod' });
      const other = memoryVault(vault);
      calls = 0;
      let busy = false;
      vault.tables.answers = async () => {
        if (busy) return;
        calls += 1;
        if (calls !== at) return;
        busy = true;
        await secret('a', other).catch(() => undefined);
        busy = false;
      };
      await deleteNamespace(vault, owner, 'prod').catch(() => undefined);
      vault.tables.answers = async () => undefined;
      const held = [...vault.tables.entities.values()].some(({ entity }) => entity.kind === 'secretName');
      const state = (await namespace('prod'))?.state;
      expect({ at, held, state }).toEqual({ at, held, state: held ? 'open' : undefined });
      expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
    }
  });

  it('is for admins', async () => {
    await createNamespace(vault, owner, { name: 'prod' });
    const operator = callerWith({ workspaceId });
    await expect(deleteNamespace(vault, operator, 'prod')).rejects.toMatchObject({ code: 'forbidden' });
  });
});

it('a list shows those that the caller may see, page by page', async () => {
  for (const name of ['c', 'a', 'b', 'd']) await createNamespace(vault, owner, { name });
  const names = async (caller: RequestContext, after?: string) => {
    const page = await listNamespaces(vault, caller, { limit: 2, ...(after === undefined ? {} : { after }) });
    return { names: page.items.map(({ id }) => id), next: page.next };
  };
  const first = await names(owner);
  expect(first.names).toEqual(['a', 'b']);
  expect(await names(owner, first.next)).toEqual({ names: ['c', 'd'], next: undefined });
  const limited = callerWith({ workspaceId, role: 'viewer', namespaces: ['d'] });
  const sparse = await names(limited);
  expect(sparse.names).toEqual([]);
  expect((await names(limited, sparse.next)).names).toEqual(['d']);
});
