import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { ALL_WORKSPACES, workspaceKind } from '../workspaces/workspace.ts';
import type { SecretParts } from './parts.ts';
import { destroySecret } from './purge-secret.ts';
import { deletedSecretList, RECOVERY_WINDOW_MS, type Secret, secretKind } from './secret.ts';

const BATCH = 50;

/**
 * Purges every secret whose recovery window is over, in all workspaces.
 *
 * @returns how many were purged.
 */
export async function purgeExpired(parts: SecretParts): Promise<number> {
  let purged = 0;
  let after: string | undefined;
  do {
    const page = await parts.store.list(workspaceKind, {
      list: ALL_WORKSPACES,
      limit: BATCH,
      ...from(after),
    });
    for (const workspace of page.items) purged += await purgeWorkspace(parts, workspace.id);
    after = page.next;
  } while (after !== undefined);
  return purged;
}

async function purgeWorkspace(parts: SecretParts, workspaceId: string): Promise<number> {
  const latest = parts.clock.now() - RECOVERY_WINDOW_MS;
  const list = deletedSecretList(workspaceId);
  let purged = 0;
  let after: string | undefined;
  do {
    const page = await parts.store.list(secretKind, { list, limit: BATCH, ...from(after) });
    for (const listed of page.items) {
      // The list is sorted by the time of deletion: what follows is younger still.
      if (!isOver(listed, latest)) return purged;
      if (await purgeOne(parts, listed, latest)) purged += 1;
    }
    after = page.next;
  } while (after !== undefined);
  return purged;
}

async function purgeOne(parts: SecretParts, listed: Secret, latest: number): Promise<boolean> {
  // Lists may lag: decide on what the table says now.
  const secret = await parts.store.get(secretKind, listed.workspaceId, listed.id);
  if (secret === undefined || !isOver(secret, latest)) return false;
  try {
    await destroySecret(parts, systemOrigin(secret.workspaceId, 'purge'), secret);
    return true;
  } catch (error) {
    // An owner is purging or changing it right now; tomorrow's run looks again.
    if (error instanceof RefusedChanges) return false;
    throw error;
  }
}

function isOver({ deletedAt, purging }: Secret, latest: number): boolean {
  return deletedAt !== undefined && (purging === true || Date.parse(deletedAt) < latest);
}

function from(after: string | undefined): { readonly after?: string } {
  return after === undefined ? {} : { after };
}
