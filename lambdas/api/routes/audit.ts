import * as z from 'zod';
import { eventId } from '../../../core/audit/event.ts';
import { exportEvents } from '../../../core/audit/export-events.ts';
import { type EventPosition, listEvents } from '../../../core/audit/list-events.ts';
import { verifyAudit } from '../../../core/audit/verify-audit.ts';
import { guarded } from '../http/route.ts';
import { csv } from './csv.ts';
import { cursor, from, inclusiveTimes, limit, timeRange, to } from './fields.ts';
import { paging } from './paging.ts';
import { breakView, eventView, pageOf, viewEvent } from './views.ts';

const CSV_COLUMNS = ['id', 'actorUserId', 'action', 'entityType', 'entityId', 'ipAddress', 'createdAt'];

export const auditRoutes = [
  guarded({
    method: 'GET',
    path: '/audit',
    summary: 'Audit events, newest first',
    permission: 'audit:read',
    action: 'audit.listed',
    query: z.strictObject({
      from: from.optional(),
      to: to.optional(),
      action: z.string().max(64).optional(),
      actorId: z.string().max(128).optional(),
      entityId: z.string().max(300).optional(),
      limit,
      cursor: cursor.optional(),
    }),
    responses: [{ status: 200, description: 'A page of events', schema: pageOf(eventView) }],
    handle: async ({ query }, context, vault) => {
      const { limit: size, cursor: _cursor, from: _from, to: _to, ...rest } = query;
      const filter = { ...rest, ...timeRange(query) };
      const pages = paging<EventPosition>(vault, context, 'GET /audit', query);
      const page = await listEvents(vault, context, filter, { limit: size, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewEvent), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/audit/export',
    summary: 'Audit events of a span of time as CSV, oldest first, at most 10,000 rows',
    permission: 'audit:export',
    action: 'audit.exported',
    query: z.strictObject({ from: from.optional(), to: to.optional(), cursor: cursor.optional() }),
    responses: [
      {
        status: 200,
        description: 'CSV (RFC 4180); Link rel="next" when there is more',
        contentType: 'text/csv',
      },
    ],
    handle: async ({ query }, context, vault) => {
      const span = timeRange(query);
      const pages = paging<EventPosition>(vault, context, 'GET /audit/export', query);
      const { after } = await pages.after();
      const page = await exportEvents(vault, context, span, after);
      const rows = page.items.map(({ stored, content }) => [
        eventId(stored),
        content.actor.id,
        content.action,
        content.entity.type,
        content.entity.id,
        content.ip,
        content.ts,
      ]);
      const next = await pages.nextCursor(page.next);
      return csv('audit.csv', CSV_COLUMNS, rows, '/audit/export', inclusiveTimes(span), next);
    },
  }),
  guarded({
    method: 'POST',
    path: '/audit/verify',
    summary: 'Checks the chain and every entity against it, or with from and to only the rows of that span',
    permission: 'audit:verify',
    action: 'audit.verified',
    body: z.strictObject({ from: from.optional(), to: to.optional() }),
    responses: [
      {
        status: 200,
        description: 'The outcome; firstBreak and breaks name what does not fit',
        schema: z.object({
          ok: z.boolean(),
          rows: z.int(),
          entities: z.int(),
          head: z.object({ lane: z.int(), seq: z.int(), hash: z.string() }),
          firstBreak: breakView.optional(),
          breaks: z.array(breakView).optional(),
        }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const { breaks, ...outcome } = await verifyAudit(vault, context, timeRange(body));
      const [firstBreak] = breaks;
      return {
        status: 200,
        json: { ...outcome, ...(firstBreak === undefined ? {} : { firstBreak, breaks }) },
      };
    },
  }),
];
