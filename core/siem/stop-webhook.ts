import { RefusedChanges } from '../audit/append.ts';
import { eventId } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { ReadableRow } from '../audit/merged-rows.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import { update } from '../kernel/entity.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { CHANNEL_FAILING } from './alert-notice.ts';
import type { Failing } from './backoff.ts';
import { feedOf, type Webhook, webhookKind } from './webhook.ts';
import { webhookEvent } from './webhook-parts.ts';

export interface StopParts {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly alerts: Alerts;
}

/**
 * Pauses a webhook whose receiver says that it is gone. Where that one was told of alerts, this is one: nobody may notice
 * that no more come.
 */
export async function pauseGoneWebhook(parts: StopParts, webhook: Webhook, reason: string): Promise<void> {
  if (feedOf(webhook) === 'alerts') await raiseStopped(parts, webhook, { reason });
  await stop(parts, webhook, 'webhook.updated', 'paused', { state: 'paused', reason });
}

/** Parks a webhook that failed for too long, with an alert. Its cursor stays where it is. */
export async function parkWebhook(
  parts: StopParts,
  webhook: Webhook,
  { since, attempts, reason, givenUp }: Failing,
  nextEventId: string,
): Promise<void> {
  const detail = {
    failingSince: timestamp(since),
    attempts: String(attempts),
    reason,
    nextEventId,
    ...(givenUp === undefined ? {} : { givenUp }),
  };
  // Before it is parked: a crash after this alerts twice, and a crash after parking would not alert at all.
  await raiseStopped(parts, webhook, detail);
  await stop(parts, webhook, 'webhook.parked', 'parked', detail);
}

function raiseStopped({ alerts }: StopParts, webhook: Webhook, detail: Alert['detail']): Promise<void> {
  const { workspaceId, id } = webhook;
  return alerts.raise({
    tier: 'warning',
    kind: feedOf(webhook) === 'alerts' ? CHANNEL_FAILING : 'webhook_parked',
    workspaceId,
    subject: `webhook ${id}`,
    detail,
  });
}

/**
 * Tells the other channels that one refuses an event for good, and is not sent it again. Not where that event says the
 * same of another one: two channels that refuse everything would tell each other so for ever.
 */
export async function tellGivenUp(
  { alerts }: StopParts,
  { workspaceId, id }: Webhook,
  { content, stored }: ReadableRow,
  reason: string,
): Promise<void> {
  if (content.detail['kind'] === CHANNEL_FAILING) return;
  await alerts.raise({
    tier: 'warning',
    kind: CHANNEL_FAILING,
    workspaceId,
    subject: `refusals of webhook ${id}`,
    seen: 'The receiver refuses an event of the feed of alerts for good. It is sent what comes after it.',
    usual: 'A channel takes every alert.',
    detail: { reason, eventId: eventId(stored), about: `${content.entity.type} ${content.entity.id}` },
  });
}

async function stop(
  { trail }: StopParts,
  webhook: Webhook,
  action: 'webhook.updated' | 'webhook.parked',
  state: 'paused' | 'parked',
  detail: { readonly [key: string]: string },
): Promise<void> {
  const stopped = update(webhookKind, webhook, { state });
  try {
    await trail.commit(systemOrigin(webhook.workspaceId, 'deliverer'), [
      webhookEvent(action, webhook.id, { detail, changes: [stopped] }),
    ]);
  } catch (error) {
    // Somebody has just changed or deleted it: what they decided counts, from the next look on.
    if (!(error instanceof RefusedChanges)) throw error;
  }
}
