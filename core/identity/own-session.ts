import type { Principal, UserPrincipal } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type Session, sessionKind } from './session.ts';
import { type User, userKind } from './user.ts';

/**
 * The person who calls, for what only people can do.
 *
 * @throws VaultError `forbidden`
 */
export function authorizePerson(principal: Principal, permission: Permission): UserPrincipal {
  authorize(principal, permission);
  // Only permissions of people are asked for here, and `authorize` lets no API key through with those.
  if (principal.type !== 'user') throw new VaultError('forbidden', 'This is for people, not for API keys.');
  return principal;
}

/** The caller's own account and session, as they are now. */
export async function readOwn(
  store: Store,
  { id, sessionId }: UserPrincipal,
): Promise<{ readonly user: User; readonly session: Session }> {
  const [user, session] = await Promise.all([
    store.get(userKind, PLATFORM_WORKSPACE, id),
    store.find(sessionKind, sessionId),
  ]);
  // A session also ends when its account goes on to another epoch: a new password, everybody signed out.
  const isOver = session?.endedAt !== undefined || session?.epoch !== user?.epoch;
  if (user !== undefined && session !== undefined && !isOver) return { user, session };
  throw new VaultError('unauthenticated', 'This session has just ended. Log in again.');
}
