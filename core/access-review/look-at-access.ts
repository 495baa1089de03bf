import { apiKeyKind, apiKeyList } from '../identity/api-key.ts';
import type { Bookkeeping } from '../identity/bookkeeping.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { memberList, membershipKind } from '../members/membership.ts';
import { addTo, type Tally } from '../posture/facts.ts';
import { DORMANT_DAYS, keysInUse } from '../posture/key-use.ts';
import { withoutSecondFactor } from '../posture/sections.ts';
import { dayNumber, lastSeenDay } from './last-seen.ts';

/** What somebody should look at. */
export interface AccessFindings {
  readonly keys: number;
  readonly members: number;
  readonly dormantKeys: Tally;
  readonly keysWithoutExpiry: Tally;
  readonly dormantMembers: Tally;
  readonly ownersWithoutMfa: Tally;
  /** When each member was last seen, in days since 1970. */
  readonly seen: { readonly [userId: string]: number };
}

export interface AccessParts {
  readonly store: Store;
  readonly bookkeeping: Pick<Bookkeeping, 'lastUsed' | 'sessionsSeen'>;
}

/** What one read of marks takes. */
const PAGE = 100;
/** So many members' days fit the state. Whoever is beyond is only looked at for a second factor. */
const MAX_REMEMBERED = 5_000;

/**
 * Looks at every key and every member of a workspace.
 *
 * @param known since when there are reviews, and what they saw, in days since 1970.
 * @param now epoch milliseconds.
 */
export async function lookAtAccess(
  parts: AccessParts,
  workspaceId: string,
  known: { readonly since: number; readonly seen: { readonly [userId: string]: number } },
  now: number,
): Promise<AccessFindings> {
  return {
    ...(await lookAtKeys(parts, workspaceId, now)),
    ...(await lookAtMembers(parts, workspaceId, known, now)),
  };
}

async function lookAtKeys({ store, bookkeeping }: AccessParts, workspaceId: string, now: number) {
  const found = { keys: 0, dormantKeys: none(), keysWithoutExpiry: none() };
  for await (const page of listPages(store, apiKeyKind, { list: apiKeyList(workspaceId), limit: PAGE })) {
    for (const { key, isDormant, hasExpiry } of await keysInUse(bookkeeping, workspaceId, page, now)) {
      found.keys += 1;
      if (isDormant) addTo(found.dormantKeys, key.id);
      if (!hasExpiry) addTo(found.keysWithoutExpiry, key.id);
    }
  }
  return found;
}

async function lookAtMembers(
  parts: AccessParts,
  workspaceId: string,
  known: { readonly since: number; readonly seen: { readonly [userId: string]: number } },
  now: number,
) {
  const today = dayNumber(now);
  const found = { members: 0, dormantMembers: none(), ownersWithoutMfa: none() };
  const seen: { [userId: string]: number } = {};
  const query = { list: memberList(workspaceId), limit: PAGE };
  for await (const page of listPages(parts.store, membershipKind, query)) {
    for (const member of page) {
      found.members += 1;
      if (found.members > MAX_REMEMBERED) continue;
      const last = await lastSeenDay(parts, member, known, today);
      seen[member.id] = last;
      if (today - last >= DORMANT_DAYS) addTo(found.dormantMembers, member.id);
    }
    const owners = page.filter(({ role }) => role === 'owner');
    for (const { id } of await withoutSecondFactor(parts.store, owners)) addTo(found.ownersWithoutMfa, id);
  }
  return { ...found, seen };
}

function none(): Tally {
  return { count: 0, first: [] };
}
