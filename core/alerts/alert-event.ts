import type { Action, AuditEvent } from '../audit/event.ts';
import type { Change } from '../kernel/entity.ts';
import type { AlertRecord } from './alert-record.ts';
import { clip, MAX_DETAIL_LENGTH } from './bounded-alert.ts';

type AlertChange = Change & { readonly entity: AlertRecord };

/** The event of an alert that was raised: whoever follows the trail learns all about it. */
export function alertRaised(change: AlertChange): AuditEvent {
  const { seen, usual, rows, detail } = change.entity;
  return {
    ...alertEvent('alert.raised', change.entity.id),
    result: 'failure',
    detail: {
      ...detail,
      ...alertFacts(change.entity),
      ...(seen === undefined ? {} : { seen }),
      ...(usual === undefined ? {} : { usual }),
      ...(rows.length === 0 ? {} : { rows: clip(rows.join(' '), MAX_DETAIL_LENGTH) }),
    },
    changes: [change],
  };
}

/** The event of an alert that somebody has dealt with. */
export function alertSettled(action: 'alert.acknowledged' | 'alert.closed', change: AlertChange): AuditEvent {
  return { ...alertEvent(action, change.entity.id), detail: alertFacts(change.entity), changes: [change] };
}

export function alertEvent(action: Extract<Action, `alert.${string}`>, id: string): AuditEvent {
  return { action, entity: { type: 'alert', id }, result: 'success' };
}

function alertFacts({ alertKind, tier, subject, state, count }: AlertRecord) {
  return { kind: alertKind, tier, subject, state, count: String(count) };
}
