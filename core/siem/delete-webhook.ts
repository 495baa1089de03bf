import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { remove } from '../kernel/entity.ts';
import { feedOf, webhookKind } from './webhook.ts';
import { findWebhook, type WebhookParts, webhookEvent } from './webhook-parts.ts';

/** Deletes a webhook: no further request is begun. */
export async function deleteWebhook(
  parts: Pick<WebhookParts, 'store' | 'trail' | 'deliveries'>,
  context: RequestContext,
  id: string,
): Promise<void> {
  const webhook = await findWebhook(parts.store, context, 'webhook:manage', id);
  checkPrecondition(context.precondition, webhook);
  await parts.trail.commit(originOf(context), [
    webhookEvent('webhook.deleted', id, {
      detail: { feed: feedOf(webhook) },
      changes: [remove(webhookKind, webhook)],
    }),
  ]);
  // It is deleted by now, whatever becomes of this; an id never comes back, so nothing reads what would be left.
  await parts.deliveries.forget(webhook).catch(() => undefined);
}
