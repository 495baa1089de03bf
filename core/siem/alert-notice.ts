import { eventId } from '../audit/event.ts';
import type { ReadableRow } from '../audit/merged-rows.ts';
import { ALERT_TIERS, type AlertKind, type AlertTier } from '../detection/alert.ts';
import { DEFAULT_MIN_TIER, feedOf, type Webhook } from './webhook.ts';

/** What became of an alert; a test is sent in the form of one. */
export type AlertNews = 'raised' | 'acknowledged' | 'closed' | 'tested';

/** A row of the feed of alerts, as it is told to people. All texts are on one line. */
export interface AlertNotice {
  readonly news: AlertNews;
  /** The alert's, which is the same each time it is raised; for a test, the webhook's. */
  readonly id: string;
  readonly tier: AlertTier;
  readonly kind: string;
  readonly subject: string;
  readonly seen?: string;
  readonly usual?: string;
  /** What else the row says of it, by name. */
  readonly facts: { readonly [name: string]: string };
  /** Who raised, acknowledged or closed it: a job of the vault, or a person. */
  readonly by: string;
  readonly at: string;
  readonly workspaceId: string;
  /** The id of the row. */
  readonly event: string;
}

const NEWS: { readonly [action: string]: AlertNews } = {
  'alert.raised': 'raised',
  'alert.acknowledged': 'acknowledged',
  'alert.closed': 'closed',
  'webhook.tested': 'tested',
};

/** Says that a channel does not work, which only another one can tell; its subject names the webhook. */
export const CHANNEL_FAILING = 'channel_failing' satisfies AlertKind;

/**
 * Whether a row is one that a webhook is sent: of the audit feed each is; of the feed of alerts, what becomes of alerts
 * of its least tier or above, of those that another channel does not work, and tests of itself. What somebody tried and
 * was refused became of no alert: its row must not resolve an incident.
 */
export function concerns(webhook: Webhook, { content }: ReadableRow): boolean {
  if (feedOf(webhook) === 'audit') return true;
  const news = NEWS[content.action];
  if (news !== 'raised' && content.result !== 'success') return false;
  if (news === 'tested') return content.entity.id === webhook.id;
  if (news === undefined) return false;
  const { kind, subject = '' } = content.detail;
  if (kind === CHANNEL_FAILING) return !subject.includes(webhook.id);
  const { minTier = DEFAULT_MIN_TIER } = webhook;
  return ALERT_TIERS.indexOf(tierOf(content.detail)) >= ALERT_TIERS.indexOf(minTier);
}

/**
 * The notice of what is sent at once, which of alerts is one row.
 *
 * @throws TypeError for more, which would be lost without a trace, and for a row that the feed of alerts does not have.
 */
export function readNotice([row, ...more]: readonly ReadableRow[]): AlertNotice {
  if (row === undefined || more.length > 0) throw new TypeError('A notice is of exactly one row.');
  const { action, actor, detail, entity, ts, ws } = row.content;
  const news = NEWS[action];
  if (news === undefined) throw new TypeError(`The feed of alerts has no rows of ${action}.`);
  const origin = {
    news,
    id: oneLine(entity.id),
    by: oneLine(`${actor.type} ${actor.id}`),
    at: ts,
    workspaceId: ws,
    event: eventId(row.stored),
  };
  if (news === 'tested') {
    const subject = `webhook ${origin.id}`;
    return { ...origin, tier: 'info', kind: 'test', subject, seen: TEST, facts: {} };
  }
  const { tier, kind, subject, seen, usual, ...rest } = oneLineEach(detail);
  return {
    ...origin,
    tier: tierOf(detail),
    kind: kind ?? origin.id,
    subject: subject ?? origin.id,
    ...(seen === undefined ? {} : { seen }),
    ...(usual === undefined ? {} : { usual }),
    facts: rest,
  };
}

const TEST = 'Somebody tests this channel. Nothing is wrong, and there is nothing to do.';

/** What cannot be told apart from an alarm is one: nobody may quieten an alert by taking its tier away. */
function tierOf({ tier }: { readonly [key: string]: string }): AlertTier {
  return ALERT_TIERS.find((one) => one === tier) ?? 'critical';
}

function oneLineEach(detail: { readonly [key: string]: string }): { readonly [key: string]: string } {
  return Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, oneLine(value)]));
}

/**
 * Text without what moves the cursor, turns the direction of writing or is not seen: parts of an alert come from whoever
 * caused it, who must not write lines, headers or an order of letters of their own.
 */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, '\u{fffd}');
}
