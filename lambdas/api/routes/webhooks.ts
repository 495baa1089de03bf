import * as z from 'zod';
import { ALERT_TIERS } from '../../../core/detection/alert.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId } from '../../../core/kernel/ids.ts';
import { createWebhook } from '../../../core/siem/create-webhook.ts';
import { deleteWebhook } from '../../../core/siem/delete-webhook.ts';
import { getWebhook, listDeliveries, listWebhooks } from '../../../core/siem/read-webhooks.ts';
import { backfillWebhook, replayWebhook } from '../../../core/siem/replay-webhook.ts';
import { rotateWebhookSecret } from '../../../core/siem/rotate-webhook-secret.ts';
import { testWebhook } from '../../../core/siem/test-webhook.ts';
import { updateWebhook } from '../../../core/siem/update-webhook.ts';
import { FEEDS, MAX_BATCH_SIZE, PRESETS } from '../../../core/siem/webhook.ts';
import { guarded } from '../http/route.ts';
import { cursor, from, label, limit } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf } from './views.ts';
import {
  deliveryView,
  failingView,
  viewDelivery,
  viewFailing,
  viewWebhook,
  viewWithSecret,
  webhookView,
} from './webhook-views.ts';

const url = z.string().min(1, 'must not be empty').max(2_048, 'must have at most 2,048 characters');
const preset = z.enum(PRESETS);
const feed = z.enum(FEEDS);
const minTier = z.enum(ALERT_TIERS);
const batchSize = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(MAX_BATCH_SIZE, `must be at most ${MAX_BATCH_SIZE}`);
/** Goes into a header, or into a body, as it is. */
const credential = z
  .string()
  .regex(/^[\x21-\x7e]{1,2048}$/, 'must have 1 to 2,048 visible ASCII characters, without spaces');

const webhookParams = z.strictObject({ id: z.string() });

function webhookId({ id }: { readonly id: string }): string {
  if (!isId('wh', id)) throw notFound('webhook');
  return id;
}

export const webhookRoutes = [
  guarded({
    method: 'POST',
    path: '/workspace/webhooks',
    summary:
      'Sends audit events or alerts to a receiver from now on; its signing secret is in this answer and never again',
    permission: 'webhook:manage',
    action: 'webhook.created',
    idempotent: true,
    body: z.strictObject({
      name: label(128),
      url,
      preset: preset.default('generic'),
      feed: feed.optional(),
      minTier: minTier.optional(),
      batchSize: batchSize.optional(),
      credential: credential.optional(),
    }),
    responses: [
      {
        status: 201,
        description: 'The webhook; a repeated request gets it without "secret"',
        schema: webhookView.extend({ secret: z.string().optional() }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const made = await createWebhook(vault, context, body);
      return { status: 201, headers: etag(made.webhook), json: viewWithSecret(made) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/workspace/webhooks',
    summary: 'The webhooks of the workspace, oldest first',
    permission: 'webhook:list',
    action: 'webhook.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of webhooks', schema: pageOf(webhookView) }],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /workspace/webhooks', query);
      const page = await listWebhooks(vault, context, { limit: query.limit, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewWebhook), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/workspace/webhooks/{id}',
    summary: 'A webhook, and since when and why its receiver accepts nothing, if it does not',
    permission: 'webhook:list',
    action: 'webhook.read',
    params: webhookParams,
    responses: [
      {
        status: 200,
        description: 'The webhook',
        schema: webhookView.extend({ failing: failingView.optional() }),
      },
    ],
    handle: async ({ params }, context, vault) => {
      const { webhook, failing } = await getWebhook(vault, context, webhookId(params));
      const shown = failing === undefined ? {} : { failing: viewFailing(failing) };
      return { status: 200, headers: etag(webhook), json: { ...viewWebhook(webhook), ...shown } };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/workspace/webhooks/{id}',
    summary: 'Changes a webhook, pauses it, or sets it going again; a credential of null removes it',
    permission: 'webhook:manage',
    action: 'webhook.updated',
    conditional: true,
    params: webhookParams,
    body: z
      .strictObject({
        name: label(128).optional(),
        url: url.optional(),
        preset: preset.optional(),
        minTier: minTier.optional(),
        batchSize: batchSize.optional(),
        state: z.enum(['active', 'paused']).optional(),
        credential: credential.nullable().optional(),
      })
      .refine((patch) => Object.keys(patch).length > 0, 'must change something'),
    responses: [{ status: 200, description: 'The webhook as it is now', schema: webhookView }],
    handle: async ({ params, body }, context, vault) => {
      const webhook = await updateWebhook(vault, context, webhookId(params), body);
      return { status: 200, headers: etag(webhook), json: viewWebhook(webhook) };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/webhooks/{id}',
    summary: 'Deletes a webhook',
    permission: 'webhook:manage',
    action: 'webhook.deleted',
    conditional: true,
    params: webhookParams,
    responses: [{ status: 204, description: 'Its receiver gets no further request' }],
    handle: async ({ params }, context, vault) => {
      await deleteWebhook(vault, context, webhookId(params));
      return { status: 204 };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/webhooks/{id}/rotate-secret',
    summary:
      'Makes a new signing secret, shown only here; for a day, requests are signed with the old one, too',
    permission: 'webhook:manage',
    action: 'webhook.secret_rotated',
    params: webhookParams,
    responses: [
      {
        status: 200,
        description: 'The webhook with its new secret',
        schema: webhookView.extend({ secret: z.string() }),
      },
    ],
    handle: async ({ params }, context, vault) => {
      const rotated = await rotateWebhookSecret(vault, context, webhookId(params));
      return { status: 200, headers: etag(rotated.webhook), json: viewWithSecret(rotated) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/webhooks/{id}/test',
    summary:
      'Sends a receiver a test, which its deliveries show by the id of the event in this answer; five a minute in a workspace',
    permission: 'webhook:manage',
    action: 'webhook.tested',
    params: webhookParams,
    responses: [
      { status: 202, description: 'The test is on its way', schema: z.object({ eventId: z.string() }) },
    ],
    handle: async ({ params }, context, vault) => {
      const eventId = await testWebhook(vault, context, webhookId(params));
      return { status: 202, json: { eventId } };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/webhooks/{id}/replay',
    summary: 'Sets a webhook going again, where it stopped or from an event on',
    permission: 'webhook:manage',
    action: 'webhook.replayed',
    params: webhookParams,
    body: z.strictObject({ fromEventId: z.string().max(32).optional() }),
    responses: [{ status: 200, description: 'The webhook, active', schema: webhookView }],
    handle: async ({ params, body }, context, vault) => {
      const webhook = await replayWebhook(vault, context, webhookId(params), body);
      return { status: 200, headers: etag(webhook), json: viewWebhook(webhook) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/webhooks/{id}/backfill',
    summary: 'Sends again what happened from a date on; never leaves out what was not yet sent',
    permission: 'webhook:manage',
    action: 'webhook.backfill_started',
    params: webhookParams,
    body: z.strictObject({ from }),
    responses: [{ status: 200, description: 'The webhook', schema: webhookView }],
    handle: async ({ params, body }, context, vault) => {
      const webhook = await backfillWebhook(vault, context, webhookId(params), body);
      return { status: 200, headers: etag(webhook), json: viewWebhook(webhook) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/workspace/webhooks/{id}/deliveries',
    summary: 'The requests to a receiver in the last thirty days, newest first, without what was in them',
    permission: 'webhook:list',
    action: 'webhook.deliveries_listed',
    params: webhookParams,
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of requests', schema: pageOf(deliveryView) }],
    handle: async ({ params, query }, context, vault) => {
      const id = webhookId(params);
      const pages = paging<string>(vault, context, `GET /workspace/webhooks/${id}/deliveries`, query);
      const page = await listDeliveries(vault, context, id, {
        limit: query.limit,
        ...(await pages.after()),
      });
      return {
        status: 200,
        json: { items: page.items.map(viewDelivery), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
];
