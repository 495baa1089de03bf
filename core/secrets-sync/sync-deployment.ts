import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_SYNCS, secretsSyncKind } from './secrets-sync.ts';
import type { SyncParts } from './sync-run.ts';
import { syncWorkspace } from './sync-workspace.ts';

export interface DeploymentSyncReport {
  workspaces: number;
  copied: number;
  removed: number;
  /** Copies that a customer's account or key kept from their place. */
  failed: number;
  /** What kept the vault itself from a workspace. */
  readonly failures: { readonly workspaceId: string; readonly error: unknown }[];
}

/** Workspaces worked on side by side: a slow account must not keep the others waiting. */
const WIDTH = 4;
const PER_READ = 100;

/**
 * Brings the copies of all workspaces up to date. Begins at a random workspace: should one run not reach all, the next one
 * leaves out others. One workspace's trouble is its own.
 */
export async function syncDeployment(
  parts: SyncParts,
  mayGoOn: () => boolean,
): Promise<DeploymentSyncReport> {
  const report: DeploymentSyncReport = { workspaces: 0, copied: 0, removed: 0, failed: 0, failures: [] };
  const workspaceIds = await syncedWorkspaces(parts.store);
  const [high = 0, low = 0] = parts.random.bytes(2);
  const first = (high * 256 + low) % Math.max(1, workspaceIds.length);
  const waiting = [...workspaceIds.slice(first), ...workspaceIds.slice(0, first)].values();
  const work = async (): Promise<void> => {
    for (const workspaceId of waiting) {
      if (!mayGoOn()) return;
      await sync(parts, workspaceId, mayGoOn, report);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return report;
}

async function sync(
  parts: SyncParts,
  workspaceId: string,
  mayGoOn: () => boolean,
  report: DeploymentSyncReport,
): Promise<void> {
  report.workspaces += 1;
  try {
    const { copied, removed, failed } = await syncWorkspace(parts, workspaceId, mayGoOn);
    report.copied += copied;
    report.removed += removed;
    report.failed += failed;
  } catch (error) {
    report.failures.push({ workspaceId, error });
  }
}

async function syncedWorkspaces(store: Store): Promise<string[]> {
  const workspaceIds: string[] = [];
  for await (const page of listPages(store, secretsSyncKind, { list: ALL_SYNCS, limit: PER_READ }))
    for (const { id } of page) workspaceIds.push(id);
  return workspaceIds;
}
