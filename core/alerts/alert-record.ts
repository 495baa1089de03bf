import { hash } from 'node:crypto';
import * as z from 'zod';
import { ALERT_KINDS, ALERT_TIERS, type Alert, MAX_ALERT_ROWS } from '../detection/alert.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import type { Kind } from '../kernel/entity.ts';

/** Nobody has looked yet; somebody looks into it; it is dealt with. */
export const ALERT_STATES = ['open', 'acknowledged', 'closed'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Occurrences remembered, and so of one alert recorded within a while: see `raise-alert.ts`. */
export const MAX_OCCURRENCES = 20;
export const MAX_NOTE_LENGTH = 500;

/** An alert in its workspace: what is wrong, how often that was recorded, and who has dealt with it. */
const alertRecordSchema = z.strictObject({
  kind: z.literal('alert'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  alertKind: z.enum(ALERT_KINDS),
  tier: z.enum(ALERT_TIERS),
  subject: z.string(),
  /** The facts of the last time. */
  seen: z.string().optional(),
  usual: z.string().optional(),
  rows: z.array(z.string()).max(MAX_ALERT_ROWS),
  detail: z.record(z.string(), z.string()),
  state: z.enum(ALERT_STATES),
  /** How often it was recorded. */
  count: z.int().min(1),
  firstSeenAt: z.string(),
  /** Since when it has not been closed. */
  openedAt: z.string(),
  /** When it was last recorded. */
  lastSeenAt: z.string(),
  /** What it was last recorded for, and when; oldest first. */
  occurrences: z.array(z.strictObject({ name: z.string(), at: z.string() })).max(MAX_OCCURRENCES),
  acknowledgedAt: z.string().optional(),
  acknowledgedBy: z.string().optional(),
  closedAt: z.string().optional(),
  closedBy: z.string().optional(),
  /** What whoever acknowledged or closed it last had to say. It outlives an alert's opening again. */
  note: z.string().optional(),
});

export type AlertRecord = z.infer<typeof alertRecordSchema>;

export const alertRecordKind: Kind<AlertRecord> = {
  name: 'alert',
  schema: alertRecordSchema,
  listing: ({ workspaceId, lastSeenAt, id }) => ({
    list: alertList(workspaceId),
    key: `${newestFirst(lastSeenAt)}#${id}`,
  }),
};

/** By the time they were last recorded, newest first. */
export function alertList(workspaceId: string): string {
  return `${workspaceId}#alerts`;
}

/** Milliseconds that are left until the year 2286: lists only rise. */
function newestFirst(time: string): string {
  return String(9_999_999_999_999 - Date.parse(time)).padStart(13, '0');
}

/** The same kind and subject in a workspace is the same alert, whoever raises it: two at once meet at one entity. */
export function alertId({
  workspaceId,
  kind,
  subject,
}: Pick<Alert, 'workspaceId' | 'kind' | 'subject'>): string {
  return `al_${hash('sha256', canonicalJson([workspaceId, kind, subject]), 'hex').slice(0, 32)}`;
}
