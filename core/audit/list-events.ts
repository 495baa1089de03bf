import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { laneRange, type TimeRange } from './date-range.ts';
import { lanesOf } from './lane-set.ts';
import type { Ledger } from './ledger.ts';
import { type LaneRange, mergedRows, type ReadableRow } from './merged-rows.ts';
import type { AuditTrail } from './trail.ts';

export interface EventFilter extends TimeRange {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  readonly entityId?: string | undefined;
}

/** For each lane, the next row to look at. */
export type EventPosition = { readonly [lane: string]: number };

export interface EventPage {
  readonly items: readonly ReadableRow[];
  readonly next?: EventPosition;
}

interface Parts {
  readonly ledger: Ledger;
  readonly trail: AuditTrail;
}

/** A request looks at no more rows than this; a cursor goes on from there. */
const MAX_EXAMINED = 2_000;

/** Audit events of all lanes, newest first. A page may be short and still have a `next`. */
export async function listEvents(
  parts: Parts,
  context: RequestContext,
  filter: EventFilter,
  page: { readonly limit: number; readonly after?: EventPosition },
): Promise<EventPage> {
  const { principal } = context;
  authorize(principal, 'audit:read');
  const ranges = await eventRanges(parts.ledger, principal.workspaceId, filter);
  const { after } = page;
  const open = ranges.map((range) => ({
    ...range,
    // A lane that a position does not name was opened since the first page: its rows are newer than all that was listed.
    last: after === undefined ? range.last : Math.min(range.last, after[range.lane] ?? 0),
  }));
  const listed = await collect(parts.ledger, open, filter, page.limit);
  await parts.trail.commit(originOf(context), [
    {
      action: 'audit.listed',
      entity: { type: 'workspace', id: principal.workspaceId },
      result: 'success',
      detail: { count: String(listed.items.length) },
    },
  ]);
  return listed;
}

/** The rows of every lane within a span of time; each lane has its range, if only an empty one. */
export async function eventRanges(
  ledger: Ledger,
  workspaceId: string,
  range: TimeRange,
): Promise<LaneRange[]> {
  const lanes = await lanesOf(ledger, workspaceId);
  return Promise.all(lanes.map((lane) => laneRange(ledger, { workspaceId, lane }, range)));
}

async function collect(
  ledger: Ledger,
  ranges: readonly LaneRange[],
  filter: EventFilter,
  limit: number,
): Promise<EventPage> {
  const position: { [lane: string]: number } = Object.fromEntries(
    ranges.map(({ lane, last }) => [lane, last]),
  );
  const items: ReadableRow[] = [];
  let examined = 0;
  // Without a filter every row read is one to show, and one more tells whether others follow.
  const pageSize = isUnfiltered(filter) ? limit + 1 : undefined;
  for await (const row of mergedRows(ledger, ranges, 'falling', pageSize)) {
    if (items.length === limit || examined === MAX_EXAMINED) return { items, next: position };
    examined += 1;
    position[row.stored.lane] = row.stored.seq - 1;
    if (fits(row, filter)) items.push(row);
  }
  return { items };
}

function fits({ content }: ReadableRow, { action, actorId, entityId }: EventFilter): boolean {
  if (action !== undefined && content.action !== action) return false;
  if (actorId !== undefined && content.actor.id !== actorId) return false;
  return entityId === undefined || content.entity.id === entityId;
}

function isUnfiltered({ action, actorId, entityId }: EventFilter): boolean {
  return action === undefined && actorId === undefined && entityId === undefined;
}
