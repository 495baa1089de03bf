import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import type { Action, AuditEvent } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { IdempotencyParts } from '../idempotency/once.ts';
import type { AttemptRecords } from '../identity/bookkeeping.ts';
import { update } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import type { Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { DestinationRules } from './destination.ts';
import { type LanePositions, type Webhook, webhookKind } from './webhook.ts';

/** What managing webhooks takes. */
export interface WebhookParts extends IdempotencyParts {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly deliveries: DeliveryLog;
  readonly receivers: DestinationRules;
  readonly bookkeeping: AttemptRecords;
}

type WebhookAction = Extract<Action, `webhook.${string}`>;

/**
 * A webhook of the caller's workspace.
 *
 * @throws VaultError `forbidden`, `step_up_required`, `not_found`.
 */
export async function findWebhook(
  store: Store,
  { principal }: RequestContext,
  permission: Extract<Permission, `webhook:${string}`>,
  id: string,
): Promise<Webhook> {
  authorize(principal, permission);
  const webhook = await store.get(webhookKind, principal.workspaceId, id);
  if (webhook === undefined) throw notFound('webhook');
  return webhook;
}

export function webhookEvent(
  action: WebhookAction,
  id: string,
  rest: Pick<AuditEvent, 'detail' | 'changes'> = {},
): AuditEvent {
  return { action, entity: { type: 'webhook', id }, result: 'success', ...rest };
}

type Settings =
  | 'name'
  | 'url'
  | 'preset'
  | 'minTier'
  | 'batchSize'
  | 'state'
  | 'credential'
  | 'signingSecrets';

/** What a person changes about a webhook; with `next`, delivery begins there. */
type WebhookChange = { readonly [K in Settings]?: Webhook[K] | undefined } & {
  readonly next?: LanePositions;
};

/**
 * Changes a webhook, with its event. Each change starts delivery anew, where it stands unless `next` says otherwise:
 * earlier failures say nothing about the receiver as it is to be now.
 */
export async function changeWebhook(
  { trail, deliveries }: Pick<WebhookParts, 'trail' | 'deliveries'>,
  context: RequestContext,
  webhook: Webhook,
  { next, ...patch }: WebhookChange,
  { action, ...rest }: { readonly action: WebhookAction } & Pick<AuditEvent, 'detail'>,
): Promise<Webhook> {
  const changed = update(webhookKind, webhook, {
    ...patch,
    start: { number: webhook.start.number + 1, next: next ?? (await cursorOf(deliveries, webhook)) },
  });
  await trail.commit(originOf(context), [webhookEvent(action, webhook.id, { ...rest, changes: [changed] })]);
  return changed.entity;
}

/** How far a webhook is delivered. A cursor from before its last start is out of date. */
export async function cursorOf(deliveries: DeliveryLog, webhook: Webhook): Promise<LanePositions> {
  const stored = await deliveries.read(webhook);
  return stored?.state.start === webhook.start.number ? stored.state.next : webhook.start.next;
}
