import { type ApiKey, isGoodKey } from '../identity/api-key.ts';
import type { Bookkeeping } from '../identity/bookkeeping.ts';
import { DAY_MS } from '../kernel/timestamps.ts';

/** Keys and members of whom nothing was seen for this long are dormant. */
export const DORMANT_DAYS = 90;

/** What deserves a second look about a key that works. */
export interface KeyInUse {
  readonly key: ApiKey;
  /** Neither made nor used for {@link DORMANT_DAYS}. */
  readonly isDormant: boolean;
  readonly hasExpiry: boolean;
}

/**
 * The keys among at most 100 that work, with what is to be said of their use. Honeypots are left out: nobody is meant to use
 * them, and they never work.
 */
export async function keysInUse(
  bookkeeping: Pick<Bookkeeping, 'lastUsed'>,
  workspaceId: string,
  keys: readonly ApiKey[],
  now: number,
): Promise<readonly KeyInUse[]> {
  const good = keys.filter((key) => !key.honeypot && isGoodKey(key, now));
  if (good.length === 0) return [];
  const lastUsed = await bookkeeping.lastUsed(
    workspaceId,
    good.map(({ id }) => id),
  );
  return good.map((key) => ({
    key,
    isDormant: now - Date.parse(lastUsed.get(key.id) ?? key.createdAt) >= DORMANT_DAYS * DAY_MS,
    hasExpiry: key.expiresAt !== undefined,
  }));
}
