import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { CANARY_WORKSPACE } from '../probe/canary.ts';
import { ALL_WORKSPACES, workspaceKind } from './workspace.ts';

const PAGE = 50;

/** The workspaces in which people work: those that are not deleted, without the health probe's. */
export async function tenants(store: Store): Promise<readonly string[]> {
  const workspaceIds: string[] = [];
  for await (const page of listPages(store, workspaceKind, { list: ALL_WORKSPACES, limit: PAGE })) {
    for (const { id, deletedAt } of page)
      if (deletedAt === undefined && id !== CANARY_WORKSPACE) workspaceIds.push(id);
  }
  return workspaceIds;
}
