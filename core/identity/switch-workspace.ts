import { originOf, type RequestContext } from '../access/principal.ts';
import { invalid, notFound, VaultError } from '../kernel/errors.ts';
import { endSession } from './end-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { opaqueTokenId } from './opaque-token.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { placesOf } from './person.ts';
import type { User } from './user.ts';

/**
 * Moves the caller to another of their workspaces: the session here ends, and a new one there, of the same family, has
 * shown what it had shown and lasts no longer than it would have. A crash in between leaves the caller logged out.
 *
 * It takes the session's refresh token: an access token alone, good for minutes, must not become a session of its own.
 *
 * @throws VaultError `not_found` for workspaces that the caller is no member of and for absent ones, alike; `forbidden`
 * where an administrator has logged the caller out since the login.
 */
export async function switchWorkspace(
  parts: IdentityParts,
  context: RequestContext,
  input: { readonly workspaceId: string; readonly refreshToken: string | undefined },
): Promise<{ readonly opened: OpenedSession; readonly user: User }> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user, session } = await readOwn(parts.store, principal);
  if (input.workspaceId === session.workspaceId)
    throw invalid('workspaceId', 'is the workspace that you are in already');
  if (input.refreshToken === undefined) throw invalid('refreshToken', 'is needed where there are no cookies');
  if (opaqueTokenId('refreshToken', input.refreshToken) !== session.refreshTokenId)
    throw invalid('refreshToken', 'must be the refresh token of this session');
  const places = await placesOf(parts.store, user);
  const place = places.find(({ workspace }) => workspace.id === input.workspaceId);
  if (place === undefined) throw notFound('workspace of yours');
  const { signedOutAt } = place.membership;
  if (signedOutAt !== undefined && signedOutAt >= session.loginAt)
    throw new VaultError('forbidden', 'An administrator has logged you out there. Log in again.');
  const end = async (): Promise<void> => {
    const event = { action: 'session.ended', detail: { to: input.workspaceId } } as const;
    // Of two switches at once, and of a switch and a revocation, only one goes through.
    if (!(await endSession(parts, session, originOf(context), event)))
      throw new VaultError('unauthenticated', 'This session has just ended. Log in again.');
  };
  const opened = await openSession(
    parts,
    {
      user,
      place,
      places,
      client: session.client,
      mfa: session.mfa,
      mustChangePassword: session.mustChangePassword,
      from: session,
      familyId: session.familyId,
      beforeCommit: end,
      event: {
        action: 'session.switched',
        detail: { from: principal.workspaceId, client: session.client },
      },
    },
    context,
  );
  return { opened, user };
}
