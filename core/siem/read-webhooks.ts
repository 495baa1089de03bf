import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { Page } from '../kernel/store.ts';
import type { Failing } from './backoff.ts';
import type { Delivery } from './delivery-log.ts';
import { ALL_WEBHOOKS, type Webhook, webhookKind, webhookPrefix } from './webhook.ts';
import { findWebhook, type WebhookParts, webhookEvent } from './webhook-parts.ts';

type Parts = Pick<WebhookParts, 'store' | 'trail' | 'deliveries'>;

/** The workspace's webhooks, oldest first. */
export async function listWebhooks(
  { store, trail }: Parts,
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Webhook>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'webhook:list');
  const query = { list: ALL_WEBHOOKS, prefix: webhookPrefix(workspaceId), ...page };
  const listed = await store.list(webhookKind, query);
  await trail.commit(originOf(context), [
    { action: 'webhook.listed', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  return listed;
}

/** A webhook, and since when and why it fails, if it does. */
export async function getWebhook(
  { store, trail, deliveries }: Parts,
  context: RequestContext,
  id: string,
): Promise<{ readonly webhook: Webhook; readonly failing: Failing | undefined }> {
  const webhook = await findWebhook(store, context, 'webhook:list', id);
  const stored = await deliveries.read(webhook);
  await trail.commit(originOf(context), [webhookEvent('webhook.read', id)]);
  const isCurrent = stored?.state.start === webhook.start.number;
  return { webhook, failing: isCurrent ? stored.state.failing : undefined };
}

/** The requests to a webhook's receiver in the last thirty days, newest first. */
export async function listDeliveries(
  { store, trail, deliveries }: Parts,
  context: RequestContext,
  id: string,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Delivery>> {
  const webhook = await findWebhook(store, context, 'webhook:list', id);
  const listed = await deliveries.list(webhook, page);
  await trail.commit(originOf(context), [webhookEvent('webhook.deliveries_listed', id)]);
  return listed;
}
