import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { AlertTier } from '../detection/alert.ts';
import { once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import { parseDestination } from './destination.ts';
import { positionsAtEnd } from './lane-positions.ts';
import { givenCredential, refuseMissingCredential, settingsFor } from './presets.ts';
import { type Feed, feedOf, type Preset, type Webhook, webhookKind } from './webhook.ts';
import { type WebhookParts, webhookEvent } from './webhook-parts.ts';
import { newSigningSecret, sealCredential, signingKey, signingSecretText } from './webhook-secrets.ts';
import { admitWebhook, webhookSetKind } from './webhook-set.ts';

export interface NewWebhook {
  readonly name: string;
  readonly url: string;
  readonly preset: Preset;
  readonly feed?: Feed | undefined;
  readonly minTier?: AlertTier | undefined;
  readonly batchSize?: number | undefined;
  readonly credential?: string | undefined;
}

export interface WebhookWithSecret {
  readonly webhook: Webhook;
  /** Shown once; absent when an earlier request is answered again. */
  readonly secret?: string;
}

/**
 * Makes a webhook. It begins with its own `webhook.created`, so that of the audit feed shows at once whether it works.
 *
 * @throws VaultError `too_many_webhooks`; `invalid_request` for a URL that nothing may go to, and for what does not fit
 * the preset or the feed.
 */
export async function createWebhook(
  parts: WebhookParts,
  context: RequestContext,
  input: NewWebhook,
): Promise<WebhookWithSecret> {
  const { principal } = context;
  const { workspaceId } = principal;
  authorize(principal, 'webhook:manage');
  const { name, preset } = input;
  const settings = settingsFor(input);
  const destination = parseDestination(preset, input.url, parts.receivers);
  const { url, host } = destination;
  const credential = givenCredential(preset, destination.credential, input.credential);
  refuseMissingCredential(preset, credential);
  const id = newId('wh', parts.random);
  const signing = await newSigningSecret(parts.derivedKeys, 1);
  const secret = signingSecretText(await signingKey(parts.derivedKeys, { workspaceId, id }, signing));
  const request = {
    route: 'POST /workspace/webhooks',
    action: 'webhook.created',
    entityType: 'webhook',
    input,
  } as const;
  return once(parts, context, request, {
    replay: async (made) => {
      const webhook = await parts.store.get(webhookKind, workspaceId, made);
      if (webhook === undefined) throw notFound('webhook');
      // Only when it was this very request that made it, and the answer of the store was lost.
      return made === id ? { webhook, secret } : { webhook };
    },
    perform: async (record) => {
      const sealed =
        credential === undefined
          ? {}
          : { credential: await sealCredential(parts, { workspaceId, id, url }, credential) };
      const made = create(webhookKind, {
        workspaceId,
        id,
        name,
        url,
        preset,
        ...settings,
        state: 'active',
        ...sealed,
        signingSecrets: [signing],
        start: { number: 1, next: await positionsAtEnd(parts.ledger, workspaceId) },
        createdAt: timestamp(parts.clock.now()),
        createdBy: principal.id,
      });
      const commit = () =>
        inOpenWorkspace(parts.store, workspaceId, async (stillOpen) => {
          const admitted = await admitWebhook(parts.store, workspaceId, id);
          await parts.trail.commit(originOf(context), [
            webhookEvent('webhook.created', id, {
              detail: { host, preset, feed: feedOf(settings) },
              changes: [made, admitted, ...record(id), stillOpen],
            }),
          ]);
        });
      await retryRefused(commit, (refused) => refused.includes(webhookSetKind.name));
      return { webhook: made.entity, secret };
    },
  });
}
