import { originOf, type RequestContext } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { update } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { endSession } from './end-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { homesOf, tellWorkspaces } from './person.ts';
import { sessionKind } from './session.ts';
import { userKind } from './user.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock'>;

/** Ends the caller's own session. */
export async function logOut(parts: Parts, context: RequestContext): Promise<void> {
  const principal = authorizePerson(context.principal, 'session:manage');
  await revokeSession(parts, context, principal.sessionId);
}

/**
 * Ends one of the caller's sessions, in whatever workspace: its next request is refused.
 *
 * @throws VaultError `not_found` for sessions of others and for those that have ended, alike.
 */
export async function revokeSession(parts: Parts, context: RequestContext, sessionId: string): Promise<void> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const session = await parts.store.find(sessionKind, sessionId);
  if (session === undefined || session.userId !== principal.id || session.endedAt !== undefined)
    throw notFound('session');
  const origin = originOf(context);
  const event = { action: 'session.ended', detail: { by: principal.sessionId } } as const;
  const isEnded = await endSession(parts, session, origin, event);
  // A row in the caller's own workspace, where the session was in another one or was ended by somebody else just now.
  if (!isEnded || session.workspaceId !== principal.workspaceId) {
    await parts.trail.commit(origin, [
      { ...event, entity: { type: 'session', id: sessionId }, result: 'success' },
    ]);
  }
}

/** Ends every session of the caller, this one too, in one step. */
export async function revokeAllSessions(parts: Parts, context: RequestContext): Promise<void> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const origin = originOf(context);
  const event = {
    action: 'session.all_revoked',
    entity: { type: 'user', id: principal.id },
    result: 'success',
  } as const;
  const user = await retryRefused(async () => {
    const { user: current } = await readOwn(parts.store, principal);
    const next = update(userKind, current, { epoch: current.epoch + 1 });
    await parts.trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [{ ...event, changes: [next] }]);
    return next.entity;
  });
  await tellWorkspaces(parts.trail, origin, event, await homesOf(parts.store, user));
}
