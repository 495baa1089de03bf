import * as z from 'zod';
import { acknowledgeAlert } from '../../../core/alerts/acknowledge-alert.ts';
import { ALERT_STATES, type AlertRecord, MAX_NOTE_LENGTH } from '../../../core/alerts/alert-record.ts';
import { closeAlert } from '../../../core/alerts/close-alert.ts';
import { getAlert } from '../../../core/alerts/get-alert.ts';
import { listAlerts } from '../../../core/alerts/list-alerts.ts';
import { ALERT_KINDS, ALERT_TIERS } from '../../../core/detection/alert.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId } from '../../../core/kernel/ids.ts';
import { guarded } from '../http/route.ts';
import { cursor, limit } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf } from './views.ts';

const alertView = z.object({
  id: z.string(),
  kind: z.enum(ALERT_KINDS),
  tier: z.enum(ALERT_TIERS),
  subject: z.string(),
  state: z.enum(ALERT_STATES),
  count: z.int(),
  firstSeenAt: z.string(),
  openedAt: z.string(),
  lastSeenAt: z.string(),
  seen: z.string().optional(),
  usual: z.string().optional(),
  rows: z.array(z.string()),
  detail: z.record(z.string(), z.string()),
  acknowledgedAt: z.string().optional(),
  acknowledgedBy: z.string().optional(),
  closedAt: z.string().optional(),
  closedBy: z.string().optional(),
  note: z.string().optional(),
  revision: z.int(),
});

function viewAlert(alert: AlertRecord): z.infer<typeof alertView> {
  const { kind, workspaceId, alertKind, occurrences, ...shown } = alert;
  return { kind: alertKind, ...shown };
}

const alertParams = z.strictObject({ id: z.string() });

function alertId({ id }: { readonly id: string }): string {
  if (!isId('al', id)) throw notFound('alert');
  return id;
}

const settlement = z.strictObject({
  note: z
    .string()
    .min(1, 'must not be empty')
    .max(MAX_NOTE_LENGTH, `must have at most ${MAX_NOTE_LENGTH} characters`)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .optional(),
});

/** What is wrong, and who looks into it. */
export const alertRoutes = [
  guarded({
    method: 'GET',
    path: '/alerts',
    summary: 'The alerts of the workspace, those that were last seen first',
    permission: 'alert:read',
    action: 'alert.listed',
    query: z.strictObject({
      state: z.enum(ALERT_STATES).optional(),
      tier: z.enum(ALERT_TIERS).optional(),
      kind: z.enum(ALERT_KINDS).optional(),
      limit,
      cursor: cursor.optional(),
    }),
    responses: [{ status: 200, description: 'A page of alerts', schema: pageOf(alertView) }],
    handle: async ({ query }, context, vault) => {
      const { limit: size, cursor: _cursor, ...filter } = query;
      const pages = paging<string>(vault, context, 'GET /alerts', query);
      const page = await listAlerts(vault, context, filter, { limit: size, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewAlert), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/alerts/{id}',
    summary: 'An alert: what was seen, what is usual, and which events show it',
    permission: 'alert:read',
    action: 'alert.read',
    params: alertParams,
    responses: [{ status: 200, description: 'The alert', schema: alertView }],
    handle: async ({ params }, context, vault) => {
      const alert = await getAlert(vault, context, alertId(params));
      return { status: 200, headers: etag(alert), json: viewAlert(alert) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/alerts/{id}/acknowledge',
    summary: 'Says that the caller looks into an alert; one that is acknowledged stays as it is',
    permission: 'alert:manage',
    action: 'alert.acknowledged',
    conditional: true,
    params: alertParams,
    body: settlement,
    responses: [{ status: 200, description: 'The alert as it is now', schema: alertView }],
    handle: async ({ params, body }, context, vault) => {
      const alert = await acknowledgeAlert(vault, context, { id: alertId(params), note: body.note });
      return { status: 200, headers: etag(alert), json: viewAlert(alert) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/alerts/{id}/close',
    summary: 'Says that an alert is dealt with; it opens by itself if it is raised again',
    permission: 'alert:manage',
    action: 'alert.closed',
    conditional: true,
    params: alertParams,
    body: settlement,
    responses: [{ status: 200, description: 'The alert as it is now', schema: alertView }],
    handle: async ({ params, body }, context, vault) => {
      const alert = await closeAlert(vault, context, { id: alertId(params), note: body.note });
      return { status: 200, headers: etag(alert), json: viewAlert(alert) };
    },
  }),
];
