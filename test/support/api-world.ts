import type { Role } from '../../core/access/role.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from '../../core/identity/api-key.ts';
import { create, update } from '../../core/kernel/entity.ts';
import { newId } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { newWorkspace, type Workspace, workspaceKind } from '../../core/workspaces/workspace.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { callApi } from './call-api.ts';
import { type MemoryVault, memoryVault, SETUP_TOKEN } from './memory-vault.ts';
import { type World, worldOf } from './world.ts';

/** A fresh vault with a workspace and something in it, to make requests in. */
export async function apiWorld(): Promise<World & { readonly vault: MemoryVault }> {
  const vault = memoryVault();
  const json = { setupToken: SETUP_TOKEN, workspaceName: 'Acme' };
  const installed = await callApi(vault, { method: 'POST', path: '/setup', json });
  return { ...(await worldOf(vault, installed)), vault };
}

/** Makes an API key by the trail alone, whatever the rules for making keys; gives its id and its token. */
export async function addKey(
  vault: Vault,
  workspaceId: string,
  rights: { readonly role: Role } & Partial<Omit<ApiKey, 'kind' | 'workspaceId' | 'id' | 'revision'>>,
): Promise<{ readonly id: string; readonly token: string }> {
  const token = newToken(vault.random);
  const id = apiKeyId(token);
  const key = create(apiKeyKind, {
    workspaceId,
    id,
    name: 'test',
    namespaces: ['*'],
    tokenHash: tokenHash(token),
    honeypot: false,
    createdAt: timestamp(vault.clock.now()),
    createdBy: 'test',
    ...rights,
  });
  await vault.trail.commit(systemOrigin(workspaceId), [
    { action: 'api_key.created', entity: { type: 'api_key', id }, result: 'success', changes: [key] },
  ]);
  return { id, token };
}

/** One more tenant of the same deployment. */
export async function addWorkspace(vault: Vault): Promise<string> {
  const workspaceId = newId('ws', vault.random);
  const made = newWorkspace(workspaceId, 'Other', timestamp(vault.clock.now()));
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'workspace.created',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [made],
    },
  ]);
  return workspaceId;
}

/** Changes what a workspace is called or demands of its people, by the trail alone. */
export async function changeWorkspace(
  vault: Vault,
  workspaceId: string,
  changes: Partial<Pick<Workspace, 'name' | 'policy'>>,
): Promise<void> {
  const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error(`There is no workspace ${workspaceId}.`);
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [update(workspaceKind, workspace, changes)],
    },
  ]);
}
