import type { Store } from '../kernel/store.ts';
import { CANARY_WORKSPACE } from '../probe/canary.ts';
import { ALL_WORKSPACES, workspaceKind } from './workspace.ts';

const PAGE = 50;

/** The workspaces in which people work: those that are not deleted, without the health probe's. */
export async function tenants(store: Store): Promise<readonly string[]> {
  const workspaceIds: string[] = [];
  let after: string | undefined;
  do {
    const query = { list: ALL_WORKSPACES, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await store.list(workspaceKind, query);
    for (const { id, deletedAt } of page.items)
      if (deletedAt === undefined && id !== CANARY_WORKSPACE) workspaceIds.push(id);
    after = page.next;
  } while (after !== undefined);
  return workspaceIds;
}
