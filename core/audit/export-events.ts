import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type TimeRange, timesOf } from './date-range.ts';
import type { Ledger } from './ledger.ts';
import { type EventPage, type EventPosition, eventRanges } from './list-events.ts';
import { mergedRows, type ReadableRow } from './merged-rows.ts';
import type { AuditTrail } from './trail.ts';

/** Rows in one export; a longer one goes on with a cursor. */
export const MAX_EXPORTED_EVENTS = 10_000;

/**
 * Audit events of all lanes in a span of time, oldest first. Recorded once its end is fixed, so that an
 * export does not contain itself.
 */
export async function exportEvents(
  parts: { readonly ledger: Ledger; readonly trail: AuditTrail },
  context: RequestContext,
  range: TimeRange,
  after?: EventPosition,
): Promise<EventPage> {
  const { principal } = context;
  authorize(principal, 'audit:export');
  const ranges = await eventRanges(parts.ledger, principal.workspaceId, range);
  await parts.trail.commit(originOf(context), [
    {
      action: 'audit.exported',
      entity: { type: 'workspace', id: principal.workspaceId },
      result: 'success',
      detail: timesOf(range),
    },
  ]);
  const position: { [lane: string]: number } = { ...after };
  const open = ranges.map((lane) => ({
    ...lane,
    first: Math.max(lane.first, after?.[lane.lane] ?? lane.first),
  }));
  const items: ReadableRow[] = [];
  for await (const row of mergedRows(parts.ledger, open, 'rising')) {
    if (items.length === MAX_EXPORTED_EVENTS) return { items, next: position };
    items.push(row);
    position[row.stored.lane] = row.stored.seq + 1;
  }
  return { items };
}
