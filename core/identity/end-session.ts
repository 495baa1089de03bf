import type { AuditEvent, Origin } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { update } from '../kernel/entity.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type Session, sessionKind } from './session.ts';

interface Parts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
}

/**
 * Ends a session, for good and at once. Does nothing to one that has ended already.
 *
 * @returns whether this ended it.
 */
export async function endSession(
  { store, trail, clock }: Parts,
  session: Session,
  origin: Origin,
  event: Pick<AuditEvent, 'action' | 'detail'>,
): Promise<boolean> {
  return retryRefused(async () => {
    const current = await store.find(sessionKind, session.id);
    if (current === undefined || current.endedAt !== undefined) return false;
    const ended = update(sessionKind, current, { endedAt: timestamp(clock.now()) });
    await trail.commit({ ...origin, workspaceId: session.workspaceId }, [
      { ...event, entity: { type: 'session', id: session.id }, result: 'success', changes: [ended] },
    ]);
    return true;
  });
}

/** Ends a session because of what its tokens were used for, by whomever. */
export function endSessionAsSystem(
  parts: Parts,
  session: Session,
  event: Pick<AuditEvent, 'action' | 'detail'>,
): Promise<boolean> {
  return endSession(parts, session, systemOrigin(session.workspaceId, 'sessions'), event);
}
