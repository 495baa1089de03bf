import { originOf, type RequestContext } from '../access/principal.ts';
import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { update } from '../kernel/entity.ts';
import type { IdentityParts } from './identity-parts.ts';
import { type Session, sessionKind } from './session.ts';

/**
 * Takes the session at work along into a new epoch of its person, while all others end. If it has just changed, it ends
 * like the others.
 */
export async function keepOwnSession(
  { trail }: Pick<IdentityParts, 'trail'>,
  context: RequestContext,
  session: Session,
  patch: Pick<Session, 'epoch' | 'mfa'>,
  event: AuditEvent,
): Promise<void> {
  const own = update(sessionKind, session, patch);
  try {
    await trail.commit(originOf(context), [{ ...event, changes: [own] }]);
  } catch (error) {
    if (!(error instanceof RefusedChanges)) throw error;
    await trail.commit(originOf(context), [event]);
  }
}
