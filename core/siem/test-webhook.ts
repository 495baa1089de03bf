import { originOf, type RequestContext } from '../access/principal.ts';
import { eventId } from '../audit/event.ts';
import { findWebhook, type WebhookParts, webhookEvent } from './webhook-parts.ts';

/**
 * Writes an event that this webhook is sent, and of those that follow alerts no other one. Changes nothing else: a webhook
 * that fails, or is paused, sends it when its turn comes.
 *
 * @returns the event's id, as the deliveries name it.
 */
export async function testWebhook(
  { store, trail }: Pick<WebhookParts, 'store' | 'trail'>,
  context: RequestContext,
  id: string,
): Promise<string> {
  await findWebhook(store, context, 'webhook:manage', id);
  const [row] = await trail.commit(originOf(context), [webhookEvent('webhook.tested', id)]);
  if (row === undefined) throw new TypeError('A commit of one event has one row.');
  return eventId(row);
}
