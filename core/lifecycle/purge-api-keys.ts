import { systemOrigin } from '../audit/lane-start.ts';
import { type ApiKey, apiKeyKind, apiKeyList } from '../identity/api-key.ts';
import { remove } from '../kernel/entity.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { currentPages, slicesOf } from './list-all.ts';
import { commitRemovals, PURGE_JOB, type PurgeParts, REMOVALS } from './purge-parts.ts';

/** How long a key is kept after it was revoked or has expired, whichever came first. */
export const ENDED_KEY_MS = 30 * DAY_MS;

/**
 * Removes the keys of a workspace that ended {@link ENDED_KEY_MS} ago; their rows stay. A honeypot ends when it is revoked
 * and not when it expires: as long as it is known, its use raises an alert.
 *
 * @returns how many were removed.
 */
export async function purgeApiKeys(parts: PurgeParts, workspaceId: string): Promise<number> {
  const origin = systemOrigin(workspaceId, PURGE_JOB);
  const before = parts.clock.now() - ENDED_KEY_MS;
  let removed = 0;
  const pages = currentPages(parts.store, apiKeyKind, workspaceId, { list: apiKeyList(workspaceId) });
  for await (const keys of pages) {
    if (!parts.mayGoOn()) break;
    for (const slice of slicesOf(
      keys.filter((key) => endOf(key) < before),
      REMOVALS,
    )) {
      const events = slice.map(
        (key) =>
          ({
            action: 'api_key.purged',
            entity: { type: 'api_key', id: key.id },
            result: 'success',
            changes: [remove(apiKeyKind, key)],
          }) as const,
      );
      if (await commitRemovals(parts, origin, events)) removed += slice.length;
    }
  }
  return removed;
}

/** When a key ended, in epoch milliseconds; never, for one that did not. */
function endOf({ revokedAt, expiresAt, honeypot }: ApiKey): number {
  const ends = [revokedAt, honeypot ? undefined : expiresAt];
  return Math.min(...ends.map((at) => (at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at))));
}
