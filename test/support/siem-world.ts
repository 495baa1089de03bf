import { createHmac } from 'node:crypto';
import type { RequestContext } from '../../core/access/principal.ts';
import { strangerOrigin, systemOrigin } from '../../core/audit/lane-start.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { unavailable } from '../../core/kernel/errors.ts';
import { createWebhook, type NewWebhook } from '../../core/siem/create-webhook.ts';
import { type DeliveryParts, deliverWebhook } from '../../core/siem/deliver-webhook.ts';
import { PassedOver } from '../../core/siem/passed-over.ts';
import type { OutgoingRequest, Sender, SendOutcome } from '../../core/siem/sender.ts';
import type { TopicMessage, TopicPublisher } from '../../core/siem/topic-publisher.ts';
import { type Webhook, webhookKind } from '../../core/siem/webhook.ts';
import { installedVault, type MemoryVault } from './memory-vault.ts';

export const ACCEPTED: SendOutcome = { status: 'answered', code: 202, body: '' };
export const BROKEN: SendOutcome = { status: 'answered', code: 500, body: '' };

/** A receiver that keeps what it is sent, and answers as a test wants it to. */
export class TestReceiver implements Sender {
  readonly requests: OutgoingRequest[] = [];
  readonly #taken: OutgoingRequest[] = [];
  answer: (request: OutgoingRequest) => Promise<SendOutcome> = async () => ACCEPTED;

  async post(request: OutgoingRequest): Promise<SendOutcome> {
    this.requests.push(request);
    const outcome = await this.answer(request);
    if (outcome.status === 'answered' && outcome.code < 300) this.#taken.push(request);
    return outcome;
  }

  /** The ids of the events of each request that it accepted, as a generic receiver. */
  get accepted(): string[][] {
    return this.#taken.map(eventIds);
  }

  /** The ids of all events accepted, in the order of arrival. */
  get events(): string[] {
    return this.accepted.flat();
  }
}

/** The `TopicPublisher` port: keeps what was published. */
export class MemoryTopics implements TopicPublisher {
  readonly published: TopicMessage[] = [];
  isDown = false;

  async publish(message: TopicMessage): Promise<void> {
    if (this.isDown) throw unavailable('The topic is down.');
    this.published.push(message);
  }
}

/** The ids in a request to a generic receiver, without the workspace. */
export function eventIds({ body }: OutgoingRequest): string[] {
  const events = [JSON.parse(body) as { readonly id: string } | { readonly id: string }[]].flat();
  return events.map(({ id }) => id.split('/')[1] ?? '');
}

/** Checks a request as its receiver would: by the secret that it was given, and nothing else. */
export function isSignedWith(secret: string, { headers, body }: OutgoingRequest): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  return (headers['webhook-signature'] ?? '').split(' ').includes(expected);
}

export interface SiemWorld {
  readonly vault: MemoryVault;
  readonly owner: RequestContext;
  readonly workspaceId: string;
  readonly receiver: TestReceiver;
  readonly topics: MemoryTopics;
  readonly alerts: Alert[];
  readonly parts: DeliveryParts;
}

export async function siemWorld(): Promise<SiemWorld> {
  const { vault, owner, installed } = await installedVault();
  const receiver = new TestReceiver();
  const topics = new MemoryTopics();
  const alerts: Alert[] = [];
  const parts: DeliveryParts = {
    ...vault,
    sender: receiver,
    topics,
    passedOver: new PassedOver(),
    alerts: { raise: async (alert) => void alerts.push(alert) },
  };
  return { vault, owner, workspaceId: installed.workspaceId, receiver, topics, alerts, parts };
}

export async function addWebhook(
  { vault, owner }: SiemWorld,
  input: Partial<NewWebhook> = {},
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  const { webhook, secret = '' } = await createWebhook(vault, owner, {
    name: 'SIEM',
    url: 'https://siem.example.com/events',
    preset: 'generic',
    ...input,
  });
  return { webhook, secret };
}

/** Something happens in the workspace, in the lane of its principals or in that of strangers; a millisecond later. */
export async function happen({ vault, workspaceId }: SiemWorld, lane: 0 | 1 = 0): Promise<void> {
  vault.clock.advance(1);
  const origin =
    lane === 0 ? systemOrigin(workspaceId) : strangerOrigin(workspaceId, '198.51.100.1', 'curl/8');
  await vault.trail.commit(origin, [
    { action: 'secret.read', entity: { type: 'secret', id: 'sec_1' }, result: 'success' },
  ]);
}

/** An alert of the workspace, and what becomes of it, a millisecond later. @returns the row's id. */
export async function tellOfAlert(
  { vault, workspaceId }: SiemWorld,
  detail: { readonly [key: string]: string } = {},
  action: 'alert.raised' | 'alert.acknowledged' | 'alert.closed' = 'alert.raised',
): Promise<string> {
  vault.clock.advance(1);
  const [row] = await vault.trail.commit(systemOrigin(workspaceId, 'guard'), [
    {
      action,
      entity: { type: 'alert', id: ALERT_ID },
      result: action === 'alert.raised' ? 'failure' : 'success',
      detail: { kind: 'honeypot_used', tier: 'critical', subject: 'api_key key_1', ...detail },
    },
  ]);
  return `${row?.lane}-${row?.seq}`;
}

export const ALERT_ID = `al_${'a'.repeat(32)}`;

/** One run of the deliverer for one webhook. */
export function run({ parts, vault }: SiemWorld, webhook: Webhook): Promise<number> {
  return deliverWebhook(parts, webhook, vault.clock.now() + 45_000);
}

export async function stored({ vault }: SiemWorld, { workspaceId, id }: Webhook): Promise<Webhook> {
  const webhook = await vault.store.get(webhookKind, workspaceId, id);
  if (webhook === undefined) throw new Error(`There is no webhook ${id}.`);
  return webhook;
}
