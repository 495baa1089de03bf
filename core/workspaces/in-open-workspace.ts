import { retryRefused } from '../audit/retry-refused.ts';
import { type Change, check } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type Workspace, workspaceKind } from './workspace.ts';

/**
 * A workspace that is not deleted.
 *
 * @throws VaultError `not_found`
 */
export async function openWorkspace(store: Store, workspaceId: string): Promise<Workspace> {
  const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined || workspace.deletedAt !== undefined) throw notFound('workspace');
  return workspace;
}

/**
 * Carries out `commit` so that what it makes ends in a workspace that is still there: `stillOpen` belongs among its
 * changes. What it seals lies under the key that the workspace has at that moment. Repeats it when the workspace was changed otherwise meanwhile.
 *
 * @throws VaultError `not_found` once the workspace is deleted.
 */
export function inOpenWorkspace<T>(
  store: Store,
  workspaceId: string,
  commit: (stillOpen: Change, workspace: Workspace) => Promise<T>,
): Promise<T> {
  return retryRefused(
    async () => {
      const workspace = await openWorkspace(store, workspaceId);
      return commit(check(workspaceKind, workspace), workspace);
    },
    (refused) => refused.includes(workspaceKind.name),
  );
}
