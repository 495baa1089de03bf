import type { DeliveryFailure } from './delivery-log.ts';

/** A POST to somebody outside. */
export interface OutgoingRequest {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

export type SendFailure = Exclude<
  DeliveryFailure,
  'not_accepted' | 'secret_unavailable' | 'mail_refused' | 'topic_refused'
>;

/** What came of a request. */
export type SendOutcome =
  | {
      readonly status: 'answered';
      readonly code: number;
      /** At most 64 KiB of the answer; for a judgement at once, and never to be kept. */
      readonly body: string;
      /** Seconds, where the receiver says when to try again. */
      readonly retryAfter?: number;
    }
  | { readonly status: 'failed'; readonly reason: SendFailure };

/**
 * Sends requests to addresses on the internet that tenants name, and to no others. Knows nothing of what it sends. Takes
 * at most ten seconds, follows no redirect, and never throws for what a receiver does.
 */
export interface Sender {
  post(request: OutgoingRequest): Promise<SendOutcome>;
}
