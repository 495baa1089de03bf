import type { Bookkeeping } from '../identity/bookkeeping.ts';
import { ABSOLUTE_MS, endedSessionList, sessionKind, sessionList } from '../identity/session.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import type { Membership } from '../members/membership.ts';

/** What is known of earlier reviews, in days since 1970. */
interface Known {
  readonly since: number;
  readonly seen: { readonly [userId: string]: number };
}

interface Parts {
  readonly store: Store;
  readonly bookkeeping: Pick<Bookkeeping, 'sessionsSeen'>;
}

/** What one read of marks takes. */
const PAGE = 100;
const SESSION_DAYS = ABSOLUTE_MS / DAY_MS;
/**
 * Whoever was seen within so many days is not looked for. It is less than a session is kept, so that none begins and ends
 * unseen between two looks.
 */
const SEEN_LATELY_DAYS = 20;

export function dayNumber(milliseconds: number): number {
  return Math.floor(milliseconds / DAY_MS);
}

/**
 * The day when a member was last seen in the workspace. Sessions tell it as long as they are kept, which is
 * {@link ABSOLUTE_MS}; before that, what earlier reviews saw. Of whoever was never seen it is the day of joining, or the
 * last one on which a session could have ended before the first review.
 */
export async function lastSeenDay(
  parts: Parts,
  member: Membership,
  { since, seen }: Known,
  today: number,
): Promise<number> {
  const known = seen[member.id] ?? Math.max(dayNumber(Date.parse(member.joinedAt)), since - SESSION_DAYS);
  if (today - known <= SEEN_LATELY_DAYS) return known;
  let latest = known;
  for (const list of [sessionList(member.id), endedSessionList(member.id)]) {
    for await (const page of listPages(parts.store, sessionKind, { list, limit: PAGE })) {
      const here = page.filter(({ workspaceId }) => workspaceId === member.workspaceId);
      const marks = await parts.bookkeeping.sessionsSeen(here.map(({ id }) => id));
      const times = here.map(({ id, createdAt }) => marks.get(id) ?? Date.parse(createdAt));
      latest = Math.max(latest, ...times.map(dayNumber));
      if (today - latest <= SEEN_LATELY_DAYS) return latest;
    }
  }
  return latest;
}
