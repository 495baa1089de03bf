import * as z from 'zod';
import { type Change, create, type Kind, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { ALL_WEBHOOKS, MAX_WEBHOOKS, webhookKind, webhookPrefix } from './webhook.ts';

/** The webhooks that were made in a workspace, so that two that are made at once meet at one entity. */
const webhookSetSchema = z.strictObject({
  kind: z.literal('webhookSet'),
  workspaceId: z.string(),
  /** The workspace's. */
  id: z.string(),
  revision: z.int().min(1),
  /** Some of them may be deleted by now. */
  webhookIds: z.array(z.string()).max(MAX_WEBHOOKS),
});

type WebhookSet = z.infer<typeof webhookSetSchema>;

export const webhookSetKind: Kind<WebhookSet> = { name: 'webhookSet', schema: webhookSetSchema };

/**
 * The change that belongs into the commit of a new webhook. It is refused when another one was made since: then decide
 * anew. Deleting a webhook leaves the set alone; whoever makes the next one looks which are still there.
 *
 * @throws VaultError `too_many_webhooks`
 */
export async function admitWebhook(store: Store, workspaceId: string, id: string): Promise<Change> {
  const set = await store.get(webhookSetKind, workspaceId, workspaceId);
  const known = set?.webhookIds ?? (await listedIds(store, workspaceId));
  const present = await store.getMany(webhookKind, workspaceId, known);
  if (present.length >= MAX_WEBHOOKS) {
    throw new VaultError(
      'too_many_webhooks',
      `This workspace has ${MAX_WEBHOOKS} webhooks, which is the most. Delete one first.`,
    );
  }
  const webhookIds = [...present.map((webhook) => webhook.id), id];
  return set === undefined
    ? create(webhookSetKind, { workspaceId, id: workspaceId, webhookIds })
    : update(webhookSetKind, set, { webhookIds });
}

/** For a workspace whose webhooks are older than its set. */
async function listedIds(store: Store, workspaceId: string): Promise<readonly string[]> {
  const query = { list: ALL_WEBHOOKS, prefix: webhookPrefix(workspaceId), limit: MAX_WEBHOOKS };
  const { items } = await store.list(webhookKind, query);
  return items.map((webhook) => webhook.id);
}
