import { originOf, type RequestContext } from '../access/principal.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Page, Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { sessionRefusal } from './authenticate-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { placesOf } from './person.ts';
import { endedLoginKind, IDLE_MS, type Session, sessionKind, sessionList } from './session.ts';

export interface ListedSession {
  readonly session: Session;
  readonly lastSeenAt: string;
  /** Whether it is the one that asks. */
  readonly isCurrent: boolean;
}

/** The caller's sessions that stand, in all their workspaces, oldest first. A page may have fewer than asked for. */
export async function listSessions(
  parts: Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'bookkeeping'>,
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<ListedSession>> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user } = await readOwn(parts.store, principal);
  const now = parts.clock.now();
  const { items, ...rest } = await parts.store.list(sessionKind, { list: sessionList(user.id), ...page });
  const places = new Map((await placesOf(parts.store, user)).map((place) => [place.workspace.id, place]));
  const loginIds = items.flatMap(({ loginId, familyId }) => [loginId, familyId]);
  const endedLogins = await endedAmong(parts.store, loginIds);
  const standing = items.filter((session) => {
    const { workspace, membership } = places.get(session.workspaceId) ?? {};
    const isLoginEnded = endedLogins.has(session.loginId) || endedLogins.has(session.familyId);
    return sessionRefusal({ session, user, workspace, membership, isLoginEnded }, session, now) === undefined;
  });
  const seen = await parts.bookkeeping.sessionsSeen(standing.map(({ id }) => id));
  await parts.trail.commit(originOf(context), [
    { action: 'session.listed', entity: { type: 'user', id: user.id }, result: 'success' },
  ]);
  const listed = standing.flatMap((session): ListedSession[] => {
    const lastSeen = seen.get(session.id);
    if (lastSeen === undefined || lastSeen <= now - IDLE_MS) return [];
    return [{ session, lastSeenAt: timestamp(lastSeen), isCurrent: session.id === principal.sessionId }];
  });
  return { items: listed, ...rest };
}

/** What one read takes. */
const MAX_IDS = 100;

async function endedAmong(store: Store, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const unique = [...new Set(ids)];
  const ended = new Set<string>();
  for (let start = 0; start < unique.length; start += MAX_IDS) {
    const slice = unique.slice(start, start + MAX_IDS);
    for (const { id } of await store.getMany(endedLoginKind, PLATFORM_WORKSPACE, slice)) ended.add(id);
  }
  return ended;
}
