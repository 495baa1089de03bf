import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { endSessionAsSystem } from './end-session.ts';
import { endedLoginKind, type Session } from './session.ts';

interface Parts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
}

/**
 * Ends everything that has this login or family id, wherever it has moved since: a token came a second time, so two have
 * it, and nobody can tell who is the thief.
 *
 * @param session the one whose token it was; it may have ended already.
 */
export async function endFamily(
  parts: Parts,
  session: Session,
  id: string,
  event: Pick<AuditEvent, 'action' | 'detail'>,
): Promise<void> {
  const { expiresAt, workspaceId } = session;
  const entity = { type: 'session', id: session.id };
  const ended = create(endedLoginKind, { workspaceId: PLATFORM_WORKSPACE, id, expiresAt });
  try {
    await parts.trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'sessions'), [
      { ...event, entity, result: 'success', changes: [ended] },
    ]);
  } catch (error) {
    if (!(error instanceof RefusedChanges)) throw error;
  }
  const hasRow = await endSessionAsSystem(parts, session, event);
  if (!hasRow)
    await parts.trail.commit(systemOrigin(workspaceId, 'sessions'), [
      { ...event, entity, result: 'success' },
    ]);
}
