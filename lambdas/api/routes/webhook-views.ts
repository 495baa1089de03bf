import * as z from 'zod';
import { ALERT_TIERS } from '../../../core/detection/alert.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import type { Failing } from '../../../core/siem/backoff.ts';
import type { WebhookWithSecret } from '../../../core/siem/create-webhook.ts';
import { DELIVERY_FAILURES, type Delivery } from '../../../core/siem/delivery-log.ts';
import { FEEDS, feedOf, PRESETS, WEBHOOK_STATES, type Webhook } from '../../../core/siem/webhook.ts';

export const webhookView = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  preset: z.enum(PRESETS),
  feed: z.enum(FEEDS),
  minTier: z.enum(ALERT_TIERS).optional(),
  batchSize: z.int(),
  state: z.enum(WEBHOOK_STATES),
  hasCredential: z.boolean(),
  secretVersion: z.int(),
  createdAt: z.string(),
  createdBy: z.string(),
});

export function viewWebhook(webhook: Webhook): z.infer<typeof webhookView> {
  const { id, name, minTier, signingSecrets, createdAt, createdBy } = webhook;
  return {
    id,
    name,
    url: webhook.url,
    preset: webhook.preset,
    feed: feedOf(webhook),
    ...(minTier === undefined ? {} : { minTier }),
    batchSize: webhook.batchSize,
    state: webhook.state,
    hasCredential: webhook.credential !== undefined,
    secretVersion: Math.max(...signingSecrets.map(({ version }) => version)),
    createdAt,
    createdBy,
  };
}

export function viewWithSecret({ webhook, secret }: WebhookWithSecret) {
  return { ...viewWebhook(webhook), ...(secret === undefined ? {} : { secret }) };
}

export const deliveryView = z.object({
  at: z.string(),
  accepted: z.boolean(),
  status: z.int().optional(),
  error: z.enum(DELIVERY_FAILURES).optional(),
  events: z.int(),
  firstEventId: z.string(),
  lastEventId: z.string(),
  durationMs: z.int(),
  givenUp: z.literal(true).optional(),
});

export function viewDelivery({ at, ...delivery }: Delivery): z.infer<typeof deliveryView> {
  return { at: timestamp(at), ...delivery };
}

export const failingView = z.object({
  since: z.string(),
  attempts: z.int(),
  nextAttemptAt: z.string(),
  reason: z.string(),
  givenUp: z.string().optional(),
});

export function viewFailing({ since, attempts, nextAttemptAt, reason, givenUp }: Failing) {
  return {
    since: timestamp(since),
    attempts,
    nextAttemptAt: timestamp(nextAttemptAt),
    reason,
    ...(givenUp === undefined ? {} : { givenUp }),
  };
}
