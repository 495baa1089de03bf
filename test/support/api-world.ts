import type { Role } from '../../core/access/role.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from '../../core/identity/api-key.ts';
import { create } from '../../core/kernel/entity.ts';
import { newId } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import { callApi } from './call-api.ts';
import { type MemoryVault, memoryVault, SETUP_TOKEN } from './memory-vault.ts';
import { worldOf } from './route-cases.ts';

/** A fresh vault with a workspace and something in it, to make requests in. */
export async function apiWorld() {
  const vault = memoryVault();
  const json = { setupToken: SETUP_TOKEN, workspaceName: 'Acme' };
  const installed = await callApi(vault, { method: 'POST', path: '/setup', json });
  const { workspaceId } = installed.json as { workspaceId: string };
  return { vault, workspaceId, ...(await worldOf(vault, installed)) };
}

/** Makes an API key by the trail alone, whatever the rules for making keys; gives its id and its token. */
export async function addKey(
  vault: MemoryVault,
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
export async function addWorkspace(vault: MemoryVault): Promise<string> {
  const workspaceId = newId('ws', vault.random);
  const made = create(workspaceKind, {
    workspaceId,
    id: workspaceId,
    name: 'Other',
    createdAt: timestamp(vault.clock.now()),
  });
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
