import { CloudEvent } from 'cloudevents';
import { type EventView, viewEvent } from '../audit/event-view.ts';
import type { ReadableRow } from '../audit/merged-rows.ts';

export type AuditCloudEvent = CloudEvent<EventView>;

/**
 * An audit row as a CloudEvent 1.0. Source and id name it among all events of all workspaces, so a receiver recognizes
 * one that comes again; the numbers in the ids of a lane have no gaps, so it notices one that is missing.
 */
export function cloudEventOf(row: ReadableRow): AuditCloudEvent {
  const { workspaceId } = row.stored;
  const { action, entity, ts } = row.content;
  const data = viewEvent(row);
  return new CloudEvent<EventView>({
    specversion: '1.0',
    id: `${workspaceId}/${data.id}`,
    source: `/workspaces/${workspaceId}`,
    type: `lockzero.${action}`,
    subject: withoutControls(`${entity.type}/${entity.id}`),
    time: ts,
    datacontenttype: 'application/json',
    data,
  });
}

/** Attributes hold no control characters (CloudEvents 1.0.2, "Type System"); `data` has the id as it is. */
function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}
