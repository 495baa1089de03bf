import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_WORKSPACES, workspaceKind } from './workspace.ts';

const PAGE = 50;

/** The ids of all workspaces that have a trail: the platform's own first, and deleted ones, whose trail stays. */
export async function* everyWorkspace(store: Store): AsyncGenerator<string> {
  yield PLATFORM_WORKSPACE;
  for await (const page of listPages(store, workspaceKind, { list: ALL_WORKSPACES, limit: PAGE }))
    for (const { id } of page) yield id;
}
