import * as z from 'zod';
import { ALERT_TIERS, type AlertTier } from '../detection/alert.ts';
import type { Kind } from '../kernel/entity.ts';

/** What a receiver understands: CloudEvents as they are, or what a product's own intake or a person takes. */
export const PRESETS = [
  'generic',
  'splunk',
  'datadog',
  'elastic',
  'slack',
  'pagerduty',
  'email',
  'sns',
] as const;
export type Preset = (typeof PRESETS)[number];

/** What a webhook is sent: each row of the trail, or those of alerts alone. */
export const FEEDS = ['audit', 'alerts'] as const;
export type Feed = (typeof FEEDS)[number];

/** The least tier of the alerts that a webhook is sent, unless it says otherwise. */
export const DEFAULT_MIN_TIER: AlertTier = 'warning';

/**
 * `paused` by an admin, or because the receiver said that it is gone; `parked` after a day of failures. Nothing is sent
 * in either, and nothing is lost: delivery goes on where it stopped.
 */
export const WEBHOOK_STATES = ['active', 'paused', 'parked'] as const;

/** The next row to send of each lane. A lane that is not named begins with its first row: it was opened later. */
export type LanePositions = { readonly [lane: string]: number };

export const lanePositionsSchema = z.record(z.string(), z.int().min(1));

export const MAX_WEBHOOKS = 20;
export const MAX_BATCH_SIZE = 500;
/** While secrets overlap, each request has a signature by each of them. */
export const MAX_SIGNING_SECRETS = 3;

const signingSecretSchema = z.strictObject({
  version: z.int().min(1),
  /** Which root secret it derives from. */
  keyId: z.string(),
  /** For a secret that was rotated away: until when requests are signed with it, too. */
  endsAt: z.string().optional(),
});

export type SigningSecret = z.infer<typeof signingSecretSchema>;

/** Where a workspace's audit events or alerts are sent. Its signing secrets are derived, and never stored. */
const webhookSchema = z.strictObject({
  kind: z.literal('webhook'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  name: z.string(),
  url: z.string(),
  preset: z.enum(PRESETS),
  /** Absent for the audit feed. */
  feed: z.enum(FEEDS).optional(),
  /** Alerts below this tier are not sent; for the feed of alerts alone. */
  minTier: z.enum(ALERT_TIERS).optional(),
  /** Events in one request, at most. */
  batchSize: z.int().min(1).max(MAX_BATCH_SIZE),
  state: z.enum(WEBHOOK_STATES),
  /** What the receiver knows the vault by, encrypted; see `webhook-secrets.ts`. */
  credential: z.string().optional(),
  /** The newest first. */
  signingSecrets: z.array(signingSecretSchema).min(1).max(MAX_SIGNING_SECRETS),
  /**
   * Where delivery begins. The cursor is bookkeeping; this is what a person decided. A number that the cursor does not
   * know yet makes the deliverer begin at `next`, and forget earlier failures.
   */
  start: z.strictObject({ number: z.int().min(1), next: lanePositionsSchema }),
  createdAt: z.string(),
  createdBy: z.string(),
});

export type Webhook = z.infer<typeof webhookSchema>;

export function feedOf({ feed = 'audit' }: Pick<Webhook, 'feed'>): Feed {
  return feed;
}

/** Names a webhook without its content. */
export type WebhookRef = Pick<Webhook, 'workspaceId' | 'id'>;

/** The webhooks of all workspaces, by workspace and age: the deliverer reads all, the API one workspace's. */
export const ALL_WEBHOOKS = 'webhooks';

export const webhookKind: Kind<Webhook> = {
  name: 'webhook',
  schema: webhookSchema,
  listing: ({ workspaceId, createdAt, id }) => ({
    list: ALL_WEBHOOKS,
    key: `${webhookPrefix(workspaceId)}${createdAt}#${id}`,
  }),
};

/** What the entries of a workspace begin with in {@link ALL_WEBHOOKS}. */
export function webhookPrefix(workspaceId: string): string {
  return `${workspaceId}#`;
}
