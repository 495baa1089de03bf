import { checkPrecondition } from '../access/precondition.ts';
import type { RequestContext } from '../access/principal.ts';
import type { AlertTier } from '../detection/alert.ts';
import { invalid } from '../kernel/errors.ts';
import { type Destination, parseDestination } from './destination.ts';
import { givenCredential, knowsOtherwise, refuseMissingCredential, settingsFor } from './presets.ts';
import { feedOf, type Preset, type Webhook } from './webhook.ts';
import { changeWebhook, findWebhook, type WebhookParts } from './webhook-parts.ts';
import { sealCredential } from './webhook-secrets.ts';

export interface WebhookPatch {
  readonly name?: string | undefined;
  readonly url?: string | undefined;
  readonly preset?: Preset | undefined;
  readonly minTier?: AlertTier | undefined;
  readonly batchSize?: number | undefined;
  readonly state?: 'active' | 'paused' | undefined;
  /** `null` removes it. */
  readonly credential?: string | null | undefined;
}

/**
 * Changes a webhook; what the patch does not name stays as it is, and its feed in any case. The next request goes out at
 * once, whatever failed before.
 *
 * A credential goes only where it was given for: whoever changes the origin of the URL gives it anew or removes it, and
 * so does whoever chooses a preset that would show it otherwise.
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
  const { preset = webhook.preset } = patch;
  const { minTier, batchSize } = settingsFor({
    preset,
    feed: feedOf(webhook),
    minTier: patch.minTier ?? webhook.minTier,
    batchSize: patch.batchSize ?? webhook.batchSize,
  });
  const { url, host, ...inUrl } = destinationAfter(parts, webhook, preset, patch.url);
  const given = givenCredential(preset, inUrl.credential, patch.credential);
  const isElsewhere =
    new URL(url).origin !== new URL(webhook.url).origin || knowsOtherwise(preset, webhook.preset);
  if (isElsewhere && webhook.credential !== undefined && given === undefined) {
    throw invalid('credential', 'must be given anew, or null to remove it: this is another receiver');
  }
  const credential = await credentialAfter(parts, { ...webhook, url }, given);
  refuseMissingCredential(preset, credential);
  const fields = Object.keys(patch).filter((key) => patch[key as keyof WebhookPatch] !== undefined);
  return changeWebhook(
    parts,
    context,
    webhook,
    {
      name: patch.name ?? webhook.name,
      url,
      preset,
      minTier,
      batchSize,
      state: patch.state ?? webhook.state,
      credential,
    },
    {
      action: 'webhook.updated',
      detail: {
        feed: feedOf(webhook),
        fields: fields.join(','),
        ...(host === undefined ? {} : { host }),
        ...(patch.state === undefined ? {} : { state: patch.state }),
      },
    },
  );
}

/** What stays as it is may be what the deployment no longer reaches: it can be paused or renamed all the same. */
function destinationAfter(
  { receivers }: WebhookParts,
  webhook: Webhook,
  preset: Preset,
  url: string | undefined,
): Partial<Destination> & Pick<Destination, 'url'> {
  if (url === undefined && preset === webhook.preset) return { url: webhook.url };
  return parseDestination(preset, url ?? webhook.url, receivers);
}

async function credentialAfter(
  parts: WebhookParts,
  webhook: Webhook,
  given: string | null | undefined,
): Promise<string | undefined> {
  if (given === undefined) return webhook.credential;
  return given === null ? undefined : sealCredential(parts, webhook, given);
}
