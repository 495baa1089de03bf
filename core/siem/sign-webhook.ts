import { createHmac } from 'node:crypto';

/**
 * The headers that prove where a request is from, and when it was made (Standard Webhooks 1.0.0, "Signature scheme"):
 * HMAC-SHA-256 over `<id>.<timestamp>.<body>`, one signature for each key, so that a secret can be rotated.
 *
 * @param id the same for the same content; without a dot, which would make the signed text ambiguous.
 * @param time epoch milliseconds; sent as whole seconds.
 */
export function signatureHeaders(
  keys: readonly Uint8Array[],
  id: string,
  time: number,
  body: string,
): { readonly [name: string]: string } {
  if (id.includes('.')) throw new TypeError('The id of a signed message has no dot.');
  const timestamp = String(Math.floor(time / 1000));
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(signed, 'utf8').digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
