import { checkPrecondition } from '../access/precondition.ts';
import type { RequestContext } from '../access/principal.ts';
import { invalid } from '../kernel/errors.ts';
import { parseReceiverUrl } from './receiver-url.ts';
import type { Preset, Webhook } from './webhook.ts';
import { changeWebhook, findWebhook, refuseMissingCredential, type WebhookParts } from './webhook-parts.ts';
import { sealCredential } from './webhook-secrets.ts';

export interface WebhookPatch {
  readonly name?: string | undefined;
  readonly url?: string | undefined;
  readonly preset?: Preset | undefined;
  readonly batchSize?: number | undefined;
  readonly state?: 'active' | 'paused' | undefined;
  /** `null` removes it. */
  readonly credential?: string | null | undefined;
}

/**
 * Changes a webhook; what the patch does not name stays as it is. The next request goes out at once, whatever failed
 * before.
 *
 * A credential goes only where it was given for: whoever changes the origin of the URL gives it anew or removes it.
 *
 * @throws VaultError `invalid_request`, `precondition_failed`, `concurrent_change`.
 */
export async function updateWebhook(
  parts: WebhookParts,
  context: RequestContext,
  id: string,
  patch: WebhookPatch,
): Promise<Webhook> {
  const webhook = await findWebhook(parts.store, context, 'webhook:manage', id);
  checkPrecondition(context.precondition, webhook);
  const { href: url, host, origin } = parseReceiverUrl(patch.url ?? webhook.url, parts.receivers);
  const isElsewhere = origin !== new URL(webhook.url).origin;
  if (isElsewhere && webhook.credential !== undefined && patch.credential === undefined) {
    throw invalid('credential', 'must be given anew, or null to remove it: the URL names another receiver');
  }
  const credential = await credentialAfter(parts, { ...webhook, url }, patch.credential);
  refuseMissingCredential(patch.preset ?? webhook.preset, credential);
  const fields = Object.keys(patch).filter((key) => patch[key as keyof WebhookPatch] !== undefined);
  return changeWebhook(
    parts,
    context,
    webhook,
    {
      name: patch.name ?? webhook.name,
      url,
      preset: patch.preset ?? webhook.preset,
      batchSize: patch.batchSize ?? webhook.batchSize,
      state: patch.state ?? webhook.state,
      credential,
    },
    {
      action: 'webhook.updated',
      detail: {
        fields: fields.join(','),
        ...(patch.url === undefined ? {} : { host }),
        ...(patch.state === undefined ? {} : { state: patch.state }),
      },
    },
  );
}

async function credentialAfter(
  parts: WebhookParts,
  webhook: Webhook,
  given: string | null | undefined,
): Promise<string | undefined> {
  if (given === undefined) return webhook.credential;
  return given === null ? undefined : sealCredential(parts, webhook, given);
}
