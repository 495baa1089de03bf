import { createHash } from 'node:crypto';
import type { ReadableRow } from '../audit/merged-rows.ts';
import type { DerivedKeys } from '../crypto/derived-keys.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Delivery } from './delivery-log.ts';
import { signatureHeaders } from './sign-webhook.ts';
import type { Outlets, Verdict } from './transport.ts';
import { TRANSPORTS } from './transports.ts';
import type { Webhook } from './webhook.ts';
import { openCredential, SecretUnavailable, signingKey } from './webhook-secrets.ts';

interface Parts extends Outlets {
  readonly clock: Clock;
  readonly derivedKeys: DerivedKeys;
}

/** What came of sending some events. */
export type Attempt = Pick<Delivery, 'at' | 'durationMs'> & Verdict;

/** Sends rows to a webhook at once. Throws only for what is no fault of the receiver. */
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
): Promise<Verdict> {
  const { derivedKeys } = parts;
  try {
    const credential =
      webhook.credential === undefined ? '' : await openCredential(derivedKeys, webhook, webhook.credential);
    const sign = (body: string) => signed(derivedKeys, webhook, messageId(webhook, rows), now, body);
    return await TRANSPORTS[webhook.preset](parts, { webhook, rows, credential, sign });
  } catch (error) {
    if (error instanceof SecretUnavailable) return { accepted: false, error: 'secret_unavailable' };
    throw error;
  }
}

/** By each secret that is good at the time. */
async function signed(keys: DerivedKeys, webhook: Webhook, id: string, now: number, body: string) {
  const good = webhook.signingSecrets.filter(
    ({ endsAt }) => endsAt === undefined || now < Date.parse(endsAt),
  );
  const signingKeys = await Promise.all(good.map((secret) => signingKey(keys, webhook, secret)));
  return signatureHeaders(signingKeys, id, now, body);
}

/** The same for the same events: a receiver that took them, and whose answer was lost, recognizes them. */
function messageId({ id }: Webhook, rows: readonly ReadableRow[]): string {
  const names = [id, ...rows.map(({ stored }) => `${stored.lane}-${stored.seq}`)].join('\n');
  return `msg_${createHash('sha256').update(names).digest('hex').slice(0, 32)}`;
}
