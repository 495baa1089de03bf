import type { Store } from '../kernel/store.ts';
import { type DeliveryParts, deliverWebhook } from './deliver-webhook.ts';
import { ALL_WEBHOOKS, type WebhookRef, webhookKind, webhookPrefix } from './webhook.ts';

export interface DeliveryReport {
  /** Events that receivers accepted. */
  events: number;
  /** What kept the deliverer itself from a webhook. A receiver that fails is none of these. */
  readonly failures: { readonly webhook: WebhookRef; readonly error: unknown }[];
}

/** How often a webhook that is up to date is looked at again while others of its workspace are still at work. */
const LOOK_AGAIN_MS = 1_000;
/** Webhooks that a sweep works on at the same time. */
const WIDTH = 20;
const PER_READ = 100;

/**
 * Sends the webhooks of a workspace what is new, all at the same time. One that is up to date is looked at again while a
 * slow one is still at work: what happens meanwhile must not wait for that.
 *
 * @param deadline epoch milliseconds: no request is begun after it.
 */
export async function deliverWorkspace(
  parts: DeliveryParts,
  workspaceId: string,
  deadline: number,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { events: 0, failures: [] };
  const webhooks = await activeWebhooks(parts.store, webhookPrefix(workspaceId));
  let working = webhooks.length;
  await Promise.all(
    webhooks.map(async (webhook) => {
      let isWell = await deliver(parts, webhook, deadline, report);
      working -= 1;
      while (isWell && working > 0 && parts.clock.now() < deadline) {
        await parts.clock.sleep(LOOK_AGAIN_MS);
        isWell = await deliver(parts, webhook, deadline, report);
      }
    }),
  );
  return report;
}

/**
 * Sends all webhooks of the deployment what is new or due again, some at a time. Begins at a random one: should one run
 * not reach all, the next one leaves out others.
 */
export async function deliverDeployment(parts: DeliveryParts, deadline: number): Promise<DeliveryReport> {
  const report: DeliveryReport = { events: 0, failures: [] };
  const webhooks = await activeWebhooks(parts.store, '');
  const [high = 0, low = 0] = parts.random.bytes(2);
  const first = (high * 256 + low) % Math.max(1, webhooks.length);
  const waiting = [...webhooks.slice(first), ...webhooks.slice(0, first)].values();
  const work = async (): Promise<void> => {
    for (const webhook of waiting) {
      if (parts.clock.now() >= deadline) return;
      await deliver(parts, webhook, deadline, report);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return report;
}

/** One webhook's trouble is its own: `false` when there was some. */
async function deliver(
  parts: DeliveryParts,
  webhook: WebhookRef,
  deadline: number,
  report: DeliveryReport,
): Promise<boolean> {
  try {
    const events = await deliverWebhook(parts, webhook, deadline);
    report.events += events;
    return true;
  } catch (error) {
    report.failures.push({ webhook, error });
    return false;
  }
}

async function activeWebhooks(store: Store, prefix: string): Promise<WebhookRef[]> {
  const webhooks: WebhookRef[] = [];
  let after: string | undefined;
  do {
    const page = await store.list(webhookKind, {
      list: ALL_WEBHOOKS,
      limit: PER_READ,
      ...(prefix === '' ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    });
    webhooks.push(...page.items.filter(({ state }) => state === 'active'));
    after = page.next;
  } while (after !== undefined);
  return webhooks;
}
