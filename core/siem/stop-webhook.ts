import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import { update } from '../kernel/entity.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
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
  if (feedOf(webhook) === 'alerts') await raise(parts, webhook, { reason });
  await stop(parts, webhook, 'webhook.updated', 'paused', { state: 'paused', reason });
}

/** Parks a webhook that failed for too long, with an alert. Its cursor stays where it is. */
export async function parkWebhook(
  parts: StopParts,
  webhook: Webhook,
  { since, attempts, reason }: Failing,
  nextEventId: string,
): Promise<void> {
  const detail = { failingSince: timestamp(since), attempts: String(attempts), reason, nextEventId };
  // Before it is parked: a crash after this alerts twice, and a crash after parking would not alert at all.
  await raise(parts, webhook, detail);
  await stop(parts, webhook, 'webhook.parked', 'parked', detail);
}

async function raise(
  { alerts }: StopParts,
  { workspaceId, id }: Webhook,
  detail: Alert['detail'],
): Promise<void> {
  await alerts.raise({
    tier: 'warning',
    kind: 'webhook_parked',
    workspaceId,
    subject: `webhook ${id}`,
    detail,
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
