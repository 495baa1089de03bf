import type { UserPrincipal } from '../access/principal.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { debtOf, stepUpEnd } from './authenticate-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { type Place, placesOf } from './person.ts';
import { IDLE_MS, type Session, WARN_MS } from './session.ts';
import type { User } from './user.ts';

/** All that a client wants to know of its session. Times in epoch milliseconds. */
export interface SessionDescription {
  readonly user: User;
  readonly session: Session;
  readonly place: Place;
  readonly places: readonly Place[];
  /** When to warn that the session will end for want of use, */
  readonly warnAt: number;
  /** and when it will, unless something is asked. */
  readonly endsAt: number;
  readonly steppedUpUntil: number | undefined;
  readonly owes: UserPrincipal['owes'];
}

/** What a person's session is now, for its own client. */
export async function describeSession(
  { store, bookkeeping, clock }: Pick<IdentityParts, 'store' | 'bookkeeping' | 'clock'>,
  user: User,
  session: Session,
): Promise<SessionDescription> {
  const [places, seen] = await Promise.all([
    placesOf(store, user),
    bookkeeping.sessionsSeen([session.id]).then((marks) => marks.get(session.id)),
  ]);
  const place = places.find(({ workspace }) => workspace.id === session.workspaceId);
  if (place === undefined) throw new Error('A session stands in a workspace that its person has left.');
  const lastSeen = seen ?? clock.now();
  const steppedUpUntil = stepUpEnd(session);
  return {
    user,
    session,
    place,
    places,
    warnAt: Math.min(lastSeen + WARN_MS, session.expiresAt),
    endsAt: Math.min(lastSeen + IDLE_MS, session.expiresAt),
    steppedUpUntil: steppedUpUntil !== undefined && steppedUpUntil > clock.now() ? steppedUpUntil : undefined,
    owes: debtOf(session, place.workspace),
  };
}

/** `GET /auth/session`: looking at a session does not prolong it. */
export async function readSession(
  parts: Pick<IdentityParts, 'store' | 'bookkeeping' | 'clock' | 'trail'>,
  context: RequestContext,
): Promise<SessionDescription> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user, session } = await readOwn(parts.store, principal);
  const description = await describeSession(parts, user, session);
  await parts.trail.commit(originOf(context), [
    { action: 'session.read', entity: { type: 'session', id: session.id }, result: 'success' },
  ]);
  return description;
}
