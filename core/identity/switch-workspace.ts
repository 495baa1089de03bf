import { originOf, type RequestContext } from '../access/principal.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import { endSession } from './end-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { demandsMfa, placesOf } from './person.ts';
import type { User } from './user.ts';

/**
 * Moves the caller to another of their workspaces: the session here ends, and a new one there has shown what it had
 * shown and lasts no longer than it would have. A crash in between leaves the caller logged out.
 *
 * @throws VaultError `not_found` for workspaces that the caller is no member of and for absent ones, alike.
 */
export async function switchWorkspace(
  parts: IdentityParts,
  context: RequestContext,
  { workspaceId }: { readonly workspaceId: string },
): Promise<{ readonly opened: OpenedSession; readonly user: User }> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user, session } = await readOwn(parts.store, principal);
  const places = await placesOf(parts.store, user);
  const place = places.find(({ workspace }) => workspace.id === workspaceId);
  if (place === undefined) throw notFound('workspace of yours');
  const origin = originOf(context);
  const detail = { from: principal.workspaceId, client: session.client };
  // Ended first: of two switches at once, and of a switch and a revocation, only one goes through.
  if (!(await endSession(parts, session, origin, { action: 'session.ended', detail: { to: workspaceId } })))
    throw new VaultError('unauthenticated', 'This session has just ended. Log in again.');
  const opened = await openSession(
    parts,
    {
      user,
      place,
      client: session.client,
      mfa: session.mfa,
      demandsMfa: demandsMfa(places),
      mustChangePassword: session.mustChangePassword,
      from: session,
      event: { action: 'session.switched', detail },
    },
    context,
  );
  return { opened, user };
}
