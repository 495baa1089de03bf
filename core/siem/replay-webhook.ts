import type { RequestContext } from '../access/principal.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { earlier, positionsAt, positionsOf } from './lane-positions.ts';
import type { Webhook } from './webhook.ts';
import { changeWebhook, cursorOf, findWebhook, type WebhookParts } from './webhook-parts.ts';

/**
 * Sets a webhook going again, whatever its state: where it stopped, or from an event on. That event may lie further on,
 * too: the one way past an event that a receiver can never take, and it stands in the trail.
 *
 * @throws VaultError `invalid_request` when there is no such event.
 */
export async function replayWebhook(
  parts: WebhookParts,
  context: RequestContext,
  id: string,
  { fromEventId }: { readonly fromEventId?: string | undefined },
): Promise<Webhook> {
  const webhook = await findWebhook(parts.store, context, 'webhook:manage', id);
  if (fromEventId === undefined) {
    return changeWebhook(parts, context, webhook, { state: 'active' }, { action: 'webhook.replayed' });
  }
  const next = await positionsOf(parts.ledger, webhook.workspaceId, fromEventId);
  const event = { action: 'webhook.replayed', detail: { fromEventId } } as const;
  return changeWebhook(parts, context, webhook, { state: 'active', next }, event);
}

/**
 * Moves a webhook's cursor back to a time, never forward, so that what happened since is sent again, in order; events
 * that are no longer kept are left out. Does not set a paused or parked webhook going.
 *
 * @param from epoch milliseconds.
 */
export async function backfillWebhook(
  parts: WebhookParts,
  context: RequestContext,
  id: string,
  { from }: { readonly from: number },
): Promise<Webhook> {
  const webhook = await findWebhook(parts.store, context, 'webhook:manage', id);
  const found = await positionsAt(parts.ledger, webhook.workspaceId, from);
  const next = earlier(found, await cursorOf(parts.deliveries, webhook));
  const event = { action: 'webhook.backfill_started', detail: { from: timestamp(from) } } as const;
  return changeWebhook(parts, context, webhook, { next }, event);
}
