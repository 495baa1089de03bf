import { eventId } from './event.ts';
import type { ReadableRow } from './merged-rows.ts';

/** An audit event as whoever may read it sees it, in the API and in a SIEM alike. */
export function viewEvent({ stored, content }: ReadableRow) {
  const { actor, action, entity, result, detail, changes } = content;
  return {
    id: eventId(stored),
    createdAt: content.ts,
    actor,
    action,
    entity,
    result,
    ipAddress: content.ip,
    userAgent: content.ua,
    detail,
    changes,
    hash: stored.hash,
  };
}

export type EventView = ReturnType<typeof viewEvent>;
