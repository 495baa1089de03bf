import { originOf, type RequestContext } from '../access/principal.ts';
import { describeSession, type SessionDescription } from './describe-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { placesOf } from './person.ts';

/** `GET /auth/session`: looking at a session does not prolong it. */
export async function readSession(
  parts: Pick<IdentityParts, 'store' | 'bookkeeping' | 'clock' | 'trail'>,
  context: RequestContext,
): Promise<SessionDescription> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user, session } = await readOwn(parts.store, principal);
  const now = parts.clock.now();
  const [places, seen] = await Promise.all([
    placesOf(parts.store, user),
    parts.bookkeeping.sessionsSeen([session.id]),
  ]);
  const lastSeen = seen.get(session.id) ?? now;
  const description = describeSession(session, { user, places, lastSeen }, now);
  await parts.trail.commit(originOf(context), [
    { action: 'session.read', entity: { type: 'session', id: session.id }, result: 'success' },
  ]);
  return description;
}
