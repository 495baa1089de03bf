import type { RequestContext } from '../access/principal.ts';
import { DAY_MS, timestamp } from '../kernel/timestamps.ts';
import type { WebhookWithSecret } from './create-webhook.ts';
import { MAX_SIGNING_SECRETS, type SigningSecret, type Webhook } from './webhook.ts';
import { changeWebhook, findWebhook, type WebhookParts } from './webhook-parts.ts';
import { newSigningSecret, signingKey, signingSecretText } from './webhook-secrets.ts';

/** How long requests are signed with the earlier secret, too, so that a receiver can change over. */
const OVERLAP_MS = DAY_MS;

/**
 * Gives a webhook a new signing secret, shown here and never again. For a day, requests carry signatures by both. A
 * rotation that is repeated, because its answer was lost, makes one more; the receiver's secret stays good meanwhile.
 *
 * @throws VaultError `not_found`, `concurrent_change`.
 */
export async function rotateWebhookSecret(
  parts: WebhookParts,
  context: RequestContext,
  id: string,
): Promise<WebhookWithSecret> {
  const webhook = await findWebhook(parts.store, context, 'webhook:manage', id);
  const newest = Math.max(...webhook.signingSecrets.map(({ version }) => version));
  const made = await newSigningSecret(parts.derivedKeys, newest + 1);
  const secret = signingSecretText(await signingKey(parts.derivedKeys, webhook, made));
  const signingSecrets = [made, ...overlapping(webhook, parts.clock.now())].slice(0, MAX_SIGNING_SECRETS);
  const event = { action: 'webhook.secret_rotated', detail: { version: String(made.version) } } as const;
  return { webhook: await changeWebhook(parts, context, webhook, { signingSecrets }, event), secret };
}

/** The secrets that go on signing for a while, the newest first. */
function overlapping({ signingSecrets }: Webhook, now: number): SigningSecret[] {
  return signingSecrets
    .map((secret) => ({ ...secret, endsAt: secret.endsAt ?? timestamp(now + OVERLAP_MS) }))
    .filter(({ endsAt }) => Date.parse(endsAt) > now);
}
