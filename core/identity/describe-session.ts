import type { UserPrincipal } from '../access/principal.ts';
import { VaultError } from '../kernel/errors.ts';
import { debtOf, stepUpEnd } from './authenticate-session.ts';
import type { Place } from './person.ts';
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

interface Known {
  readonly user: User;
  readonly places: readonly Place[];
  /** Epoch milliseconds. */
  readonly lastSeen: number;
}

/**
 * What a person's session is now, for its own client.
 *
 * @throws VaultError `unauthenticated` when its person has just left the workspace.
 */
export function describeSession(
  session: Session,
  { user, places, lastSeen }: Known,
  now: number,
): SessionDescription {
  const place = places.find(({ workspace }) => workspace.id === session.workspaceId);
  if (place === undefined)
    throw new VaultError('unauthenticated', 'You are no member of this workspace any more. Log in again.');
  const steppedUpUntil = stepUpEnd(session);
  return {
    user,
    session,
    place,
    places,
    warnAt: Math.min(lastSeen + WARN_MS, session.expiresAt),
    endsAt: Math.min(lastSeen + IDLE_MS, session.expiresAt),
    steppedUpUntil: steppedUpUntil !== undefined && steppedUpUntil > now ? steppedUpUntil : undefined,
    owes: debtOf(session, user, place.workspace),
  };
}
