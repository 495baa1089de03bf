import { concurrently } from '../kernel/concurrently.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_WORKSPACES, workspaceKind } from '../workspaces/workspace.ts';
import type { SealParts } from './parts.ts';
import { type SealOptions, type SealOutcome, sealWorkspace } from './seal-workspace.ts';

export interface WorkspaceSeal {
  readonly workspaceId: string;
  /** Absent where the sealing itself failed. */
  readonly outcome?: SealOutcome;
  readonly error?: unknown;
}

const PAGE = 50;
/** Workspaces sealed side by side: each holds one step in memory. */
const WIDTH = 4;

/** Seals the platform's workspace and every tenant's, deleted ones too. One that cannot be sealed keeps no other from it. */
export async function* sealDeployment(
  parts: SealParts & { readonly store: Store },
  options?: SealOptions,
): AsyncGenerator<WorkspaceSeal> {
  yield await sealOne(parts, PLATFORM_WORKSPACE, options);
  let after: string | undefined;
  do {
    const page = await parts.store.list(workspaceKind, {
      list: ALL_WORKSPACES,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* await concurrently(page.items, WIDTH, ({ id }) => sealOne(parts, id, options));
    after = page.next;
  } while (after !== undefined);
}

async function sealOne(parts: SealParts, workspaceId: string, options?: SealOptions): Promise<WorkspaceSeal> {
  try {
    return { workspaceId, outcome: await sealWorkspace(parts, workspaceId, options) };
  } catch (error) {
    return { workspaceId, error };
  }
}
