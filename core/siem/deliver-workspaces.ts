import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { type DeliveryParts, deliverWebhook } from './deliver-webhook.ts';
import {
  ALL_WEBHOOKS,
  type Feed,
  feedOf,
  type Webhook,
  type WebhookRef,
  webhookKind,
  webhookPrefix,
} from './webhook.ts';

export interface DeliveryReport {
  /** Events that receivers accepted. */
  events: number;
  /** What kept the deliverer itself from a workspace or a webhook. A receiver that fails is none of these. */
  readonly failures: {
    readonly workspaceId: string;
    readonly webhookId?: string;
    readonly error: unknown;
  }[];
}

/** How often a webhook that is up to date is looked at again while others are still at work. */
const LOOK_AGAIN_MS = 1_000;
/** Webhooks that a sweep works on at the same time. */
const WIDTH = 20;
const PER_READ = 100;

/**
 * Sends the webhooks of some workspaces what is new, all at the same time. One that is up to date is looked at again
 * while a slow one is still at work, of whichever workspace: as long as this runs, nobody else is woken for these
 * workspaces, and what happens meanwhile must not wait.
 *
 * @param deadline epoch milliseconds: no request is begun after it.
 */
export async function deliverWorkspaces(
  parts: DeliveryParts,
  workspaceIds: readonly string[],
  deadline: number,
): Promise<DeliveryReport> {
  const report: DeliveryReport = { events: 0, failures: [] };
  const listed = workspaceIds.map(async (workspaceId) => {
    try {
      return await activeWebhooks(parts.store, webhookPrefix(workspaceId));
    } catch (error) {
      report.failures.push({ workspaceId, error });
      return [];
    }
  });
  const webhooks = (await Promise.all(listed)).flat();
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
 * Sends all webhooks of the deployment what is new or due again, some at a time; those that people wait for first. Begins
 * at a random one of each feed: should one run not reach all, the next one leaves out others.
 */
export async function deliverDeployment(parts: DeliveryParts, deadline: number): Promise<DeliveryReport> {
  const report: DeliveryReport = { events: 0, failures: [] };
  const webhooks = await activeWebhooks(parts.store, '');
  const ofFeed = (feed: Feed) => webhooks.filter((webhook) => feedOf(webhook) === feed);
  const [high = 0, low = 0] = parts.random.bytes(2);
  const waiting = [ofFeed('alerts'), ofFeed('audit')]
    .flatMap((each) => from(each, high * 256 + low))
    .values();
  const work = async (): Promise<void> => {
    for (const webhook of waiting) {
      if (parts.clock.now() >= deadline) return;
      await deliver(parts, webhook, deadline, report);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return report;
}

/** The same ones, beginning elsewhere. */
function from(webhooks: readonly Webhook[], start: number): Webhook[] {
  const first = start % Math.max(1, webhooks.length);
  return [...webhooks.slice(first), ...webhooks.slice(0, first)];
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
    report.failures.push({ workspaceId: webhook.workspaceId, webhookId: webhook.id, error });
    return false;
  }
}

async function activeWebhooks(store: Store, prefix: string): Promise<Webhook[]> {
  const webhooks: Webhook[] = [];
  const query = { list: ALL_WEBHOOKS, limit: PER_READ, ...(prefix === '' ? {} : { prefix }) };
  for await (const page of listPages(store, webhookKind, query))
    webhooks.push(...page.filter(({ state }) => state === 'active'));
  return webhooks;
}
