import type { ReadableRow } from '../audit/merged-rows.ts';
import type { MailSender } from '../identity/mail.ts';
import type { Delivery } from './delivery-log.ts';
import type { Sender } from './sender.ts';
import type { TopicPublisher } from './topic-publisher.ts';
import type { Webhook } from './webhook.ts';

/** The ways out of the vault. */
export interface Outlets {
  readonly sender: Sender;
  readonly mail: MailSender;
  readonly topics: TopicPublisher;
}

/** What goes to a receiver at once. */
export interface Shipment {
  readonly webhook: Webhook;
  readonly rows: readonly ReadableRow[];
  /** As the receiver knows it; empty where there is none. */
  readonly credential: string;
  /** The headers that prove to a receiver who sent this body. */
  readonly sign: (body: string) => Promise<{ readonly [header: string]: string }>;
}

/** What came of it. */
export interface Verdict extends Pick<Delivery, 'accepted' | 'status' | 'error'> {
  /** Seconds that the receiver wants to be left alone for. */
  readonly retryAfter?: number;
}

/** Brings a shipment to its receiver. Throws only for what is no fault of the receiver. */
export type Transport = (outlets: Outlets, shipment: Shipment) => Promise<Verdict>;
