import { createHash } from 'node:crypto';
import type { ReadableRow } from '../audit/merged-rows.ts';
import type { DerivedKeys } from '../crypto/derived-keys.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Delivery, DeliveryFailure } from './delivery-log.ts';
import { credentialHeader, messageFor, takesAll } from './presets.ts';
import type { OutgoingRequest, Sender, SendOutcome } from './sender.ts';
import { signatureHeaders } from './sign-webhook.ts';
import type { Webhook } from './webhook.ts';
import { openCredential, SecretUnavailable, signingKey } from './webhook-secrets.ts';

interface Parts {
  readonly clock: Clock;
  readonly derivedKeys: DerivedKeys;
  readonly sender: Sender;
}

/** What came of sending some events. */
export interface Attempt extends Pick<Delivery, 'at' | 'accepted' | 'durationMs'> {
  /** The status code of the answer. */
  readonly status?: number;
  readonly error?: DeliveryFailure;
  /** Seconds that the receiver wants to be left alone for. */
  readonly retryAfter?: number;
}

/** Sends rows to a webhook in one signed request. Throws only for what is no fault of the receiver. */
export async function sendBatch(
  parts: Parts,
  webhook: Webhook,
  rows: readonly ReadableRow[],
): Promise<Attempt> {
  const at = parts.clock.now();
  const verdict = await attempt(parts, webhook, rows, at);
  return { at, durationMs: Math.max(0, parts.clock.now() - at), ...verdict };
}

async function attempt(
  parts: Parts,
  webhook: Webhook,
  rows: readonly ReadableRow[],
  now: number,
): Promise<Omit<Attempt, 'at' | 'durationMs'>> {
  try {
    const request = await requestFor(parts.derivedKeys, webhook, rows, now);
    return judge(webhook, await parts.sender.post(request));
  } catch (error) {
    if (error instanceof SecretUnavailable) return { accepted: false, error: 'secret_unavailable' };
    throw error;
  }
}

async function requestFor(
  keys: DerivedKeys,
  webhook: Webhook,
  rows: readonly ReadableRow[],
  now: number,
): Promise<OutgoingRequest> {
  const { url, contentType, body } = messageFor(webhook, rows);
  const good = webhook.signingSecrets.filter(
    ({ endsAt }) => endsAt === undefined || now < Date.parse(endsAt),
  );
  const signingKeys = await Promise.all(good.map((secret) => signingKey(keys, webhook, secret)));
  const credential =
    webhook.credential === undefined ? undefined : await openCredential(keys, webhook, webhook.credential);
  return {
    url,
    headers: {
      'content-type': contentType,
      ...(credential === undefined ? {} : credentialHeader(webhook.preset, credential)),
      ...signatureHeaders(signingKeys, messageId(webhook, rows), now, body),
    },
    body,
  };
}

/** The same for the same events: a receiver that took them, and whose answer was lost, recognizes them. */
function messageId({ id }: Webhook, rows: readonly ReadableRow[]): string {
  const names = [id, ...rows.map(({ stored }) => `${stored.lane}-${stored.seq}`)].join('\n');
  return `msg_${createHash('sha256').update(names).digest('hex').slice(0, 32)}`;
}

function judge({ preset }: Webhook, outcome: SendOutcome): Omit<Attempt, 'at' | 'durationMs'> {
  if (outcome.status === 'failed') return { accepted: false, error: outcome.reason };
  const { code: status, body, retryAfter } = outcome;
  if (status < 200 || status > 299) {
    return { accepted: false, status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
  return takesAll(preset, body)
    ? { accepted: true, status }
    : { accepted: false, status, error: 'not_accepted' };
}
