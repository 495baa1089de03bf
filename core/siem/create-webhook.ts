import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { once } from '../idempotency/once.ts';
import { create } from '../kernel/entity.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import { positionsAtEnd } from './lane-positions.ts';
import { parseReceiverUrl } from './receiver-url.ts';
import {
  ALL_WEBHOOKS,
  MAX_WEBHOOKS,
  type Preset,
  type Webhook,
  webhookKind,
  webhookPrefix,
} from './webhook.ts';
import { refuseMissingCredential, type WebhookParts, webhookEvent } from './webhook-parts.ts';
import { newSigningSecret, sealCredential, signingKey, signingSecretText } from './webhook-secrets.ts';

export interface NewWebhook {
  readonly name: string;
  readonly url: string;
  readonly preset: Preset;
  readonly batchSize: number;
  readonly credential?: string | undefined;
}

export interface WebhookWithSecret {
  readonly webhook: Webhook;
  /** Shown once; absent when an earlier request is answered again. */
  readonly secret?: string;
}

/**
 * Makes a webhook. It begins with its own `webhook.created`, so the first delivery shows at once whether it works.
 *
 * @throws VaultError `too_many_webhooks`; `invalid_request` for a URL that no request may go to.
 */
export async function createWebhook(
  parts: WebhookParts,
  context: RequestContext,
  input: NewWebhook,
): Promise<WebhookWithSecret> {
  const { principal } = context;
  const { workspaceId } = principal;
  authorize(principal, 'webhook:manage');
  const { href: url, host } = parseReceiverUrl(input.url, parts.receivers);
  refuseMissingCredential(input.preset, input.credential);
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
      await refuseTooMany(parts.store, workspaceId);
      const { name, preset, batchSize, credential } = input;
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
        batchSize,
        state: 'active',
        ...sealed,
        signingSecrets: [signing],
        start: { number: 1, next: await positionsAtEnd(parts.ledger, workspaceId) },
        createdAt: timestamp(parts.clock.now()),
        createdBy: principal.id,
      });
      await inOpenWorkspace(parts.store, workspaceId, (stillOpen) =>
        parts.trail.commit(originOf(context), [
          webhookEvent('webhook.created', id, {
            detail: { host, preset },
            changes: [made, ...record(id), stillOpen],
          }),
        ]),
      );
      return { webhook: made.entity, secret };
    },
  });
}

/** Told by a list, which may lag a moment behind: requests at the same time may make a few more. */
async function refuseTooMany(store: Store, workspaceId: string): Promise<void> {
  const { items } = await store.list(webhookKind, {
    list: ALL_WEBHOOKS,
    prefix: webhookPrefix(workspaceId),
    limit: MAX_WEBHOOKS,
  });
  if (items.length < MAX_WEBHOOKS) return;
  throw new VaultError(
    'too_many_webhooks',
    `This workspace has ${MAX_WEBHOOKS} webhooks, which is the most. Delete one first.`,
  );
}
