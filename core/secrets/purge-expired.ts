import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { Entity, Kind } from '../kernel/entity.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_WORKSPACES, workspaceKind } from '../workspaces/workspace.ts';
import type { SecretParts } from './parts.ts';
import { destroySecret } from './purge-secret.ts';
import { deletedSecretList, RECOVERY_WINDOW_MS, type Secret, secretKind } from './secret.ts';

const BATCH = 50;

export interface PurgeReport {
  readonly purged: number;
  /** What could not be purged, and did not keep the rest from it. */
  readonly failures: readonly { readonly workspaceId: string; readonly error: unknown }[];
}

/**
 * Purges every secret whose recovery window is over or whose purge was begun, in all workspaces.
 *
 * @param mayGoOn asked before each secret; whatever is left is for the next run.
 */
export async function purgeExpired(
  parts: SecretParts,
  mayGoOn: () => boolean = () => true,
): Promise<PurgeReport> {
  let purged = 0;
  const failures: { workspaceId: string; error: unknown }[] = [];
  for await (const workspace of listAll(parts.store, workspaceKind, ALL_WORKSPACES)) {
    const workspaceId = workspace.id;
    try {
      for await (const listed of listAll(parts.store, secretKind, deletedSecretList(workspaceId))) {
        if (!mayGoOn()) return { purged, failures };
        try {
          if (await purgeIfDue(parts, listed)) purged += 1;
        } catch (error) {
          failures.push({ workspaceId, error });
        }
      }
    } catch (error) {
      failures.push({ workspaceId, error });
    }
  }
  return { purged, failures };
}

async function* listAll<E extends Entity>(store: Store, kind: Kind<E>, list: string): AsyncGenerator<E> {
  for await (const page of listPages(store, kind, { list, limit: BATCH })) yield* page;
}

async function purgeIfDue(parts: SecretParts, listed: Secret): Promise<boolean> {
  const isDue = ({ deletedAt, purging }: Secret): boolean =>
    deletedAt !== undefined &&
    (purging === true || Date.parse(deletedAt) < parts.clock.now() - RECOVERY_WINDOW_MS);
  if (!isDue(listed)) return false;
  // Lists may lag: decide on what the table says now.
  const secret = await parts.store.get(secretKind, listed.workspaceId, listed.id);
  if (secret === undefined || !isDue(secret)) return false;
  try {
    await destroySecret(parts, systemOrigin(secret.workspaceId, 'purge'), secret);
    return true;
  } catch (error) {
    // An owner is purging or changing it right now; tomorrow's run looks again.
    if (error instanceof RefusedChanges) return false;
    throw error;
  }
}
