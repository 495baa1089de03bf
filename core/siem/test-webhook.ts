import { originOf, type RequestContext } from '../access/principal.ts';
import { eventId } from '../audit/event.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { findWebhook, type WebhookParts, webhookEvent } from './webhook-parts.ts';

/**
 * Writes an event that this webhook is sent, and of those that follow alerts no other one. Changes nothing else: a webhook
 * that fails, or is paused, sends it when its turn comes.
 *
 * @returns the event's id, as the deliveries name it.
 * @throws VaultError `rate_limited` for more than five a minute in a workspace.
 */
export async function testWebhook(
  parts: Pick<WebhookParts, 'store' | 'trail' | 'clock' | 'bookkeeping'>,
  context: RequestContext,
  id: string,
): Promise<string> {
  await findWebhook(parts.store, context, 'webhook:manage', id);
  await limitRequests(parts, 'webhook_test', context.ip, context.principal.workspaceId);
  const [row] = await parts.trail.commit(originOf(context), [webhookEvent('webhook.tested', id)]);
  if (row === undefined) throw new TypeError('A commit of one event has one row.');
  return eventId(row);
}
