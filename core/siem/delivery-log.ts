import * as z from 'zod';
import type { Page } from '../kernel/store.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { lanePositionsSchema, type WebhookRef } from './webhook.ts';

/** Why nothing came back from a receiver, or why nothing was sent. */
export const DELIVERY_FAILURES = [
  /** The receiver's name has no address. */
  'name_not_resolved',
  /** The name, its port, or one of its addresses is not one that the vault sends to. */
  'address_refused',
  'connection_failed',
  /** No TLS 1.2 or 1.3, or a certificate that is not good for the name. */
  'tls_failed',
  /** The connection ended before an answer, or what came was no HTTP. */
  'no_answer',
  'timed_out',
  /** The receiver answered with success, and its answer says that it did not take all events. */
  'not_accepted',
  /** The signing secret or the credential cannot be had: the root secret that they depend on is gone. */
  'secret_unavailable',
  /** The mail service did not take the message. */
  'mail_refused',
  /** The topic did not take the message, or is none that the deployment publishes to. */
  'topic_refused',
] as const;
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number];

/** One request to a receiver: never what was in it. */
export const deliverySchema = z.strictObject({
  /** Epoch milliseconds. */
  at: z.int(),
  accepted: z.boolean(),
  /** The status code that the receiver answered with; mail and topics have none. */
  status: z.int().optional(),
  error: z.enum(DELIVERY_FAILURES).optional(),
  events: z.int().min(1),
  firstEventId: z.string(),
  lastEventId: z.string(),
  durationMs: z.int().min(0),
  /** Whether these events were given up: the receiver refused them for good, and is sent what comes after them. */
  givenUp: z.literal(true).exactOptional(),
});

export type Delivery = z.infer<typeof deliverySchema>;

/** How far a webhook is, who is at work on it, and since when it fails. Times in epoch milliseconds. */
export const deliveryStateSchema = z.strictObject({
  /** The number of the webhook's `start` that this belongs to. */
  start: z.int().min(1),
  next: lanePositionsSchema,
  /** Who alone sends, and until when. */
  lease: z.strictObject({ owner: z.string(), until: z.int() }).optional(),
  failing: z
    .strictObject({
      since: z.int(),
      attempts: z.int().min(1),
      nextAttemptAt: z.int(),
      reason: z.string(),
      /** How often the receiver refused what is to be sent next. */
      refusals: z.int().min(1).exactOptional(),
      /** The first event that was given up since the receiver last took one. */
      givenUp: z.string().exactOptional(),
    })
    .optional(),
});

export type DeliveryState = z.infer<typeof deliveryStateSchema>;

/** A state as it was read; `version` rises with each replacement. */
export interface StoredDeliveryState {
  readonly version: number;
  readonly state: DeliveryState;
}

/** How long a delivery is remembered. */
export const DELIVERY_LIFE_MS = 30 * DAY_MS;

/**
 * Bookkeeping of deliveries. Nothing that a tenant decided: whoever loses it begins where the webhook says, and sends
 * again what was sent. Reads are consistent.
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not. VaultError
 * `internal` for what somebody spoiled.
 */
export interface DeliveryLog {
  read(webhook: WebhookRef): Promise<StoredDeliveryState | undefined>;
  /** Compare-and-swap: `version` is that of the state as it was read, 0 for none. */
  replace(webhook: WebhookRef, version: number, next: DeliveryState): Promise<'replaced' | 'changed'>;
  /** Remembers a delivery for {@link DELIVERY_LIFE_MS}. */
  record(webhook: WebhookRef, delivery: Delivery): Promise<void>;
  /** Newest first; `after` is an earlier page's `next`. */
  list(
    webhook: WebhookRef,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<Page<Delivery>>;
  /** Drops the state; what was recorded ends by itself. */
  forget(webhook: WebhookRef): Promise<void>;
}
