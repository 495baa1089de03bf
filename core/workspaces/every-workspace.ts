import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_WORKSPACES, workspaceKind } from './workspace.ts';

const PAGE = 50;

/** The ids of all workspaces that have a trail: the platform's own first, and deleted ones, whose trail stays. */
export async function* everyWorkspace(store: Store): AsyncGenerator<string> {
  yield PLATFORM_WORKSPACE;
  let after: string | undefined;
  do {
    const query = { list: ALL_WORKSPACES, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const page = await store.list(workspaceKind, query);
    for (const { id } of page.items) yield id;
    after = page.next;
  } while (after !== undefined);
}
