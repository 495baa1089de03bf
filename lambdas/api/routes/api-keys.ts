import * as z from 'zod';
import type { ApiKey } from '../../../core/identity/api-key.ts';
import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { listApiKeys } from '../../../core/identity/list-api-keys.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { guarded } from '../http/route.ts';
import { apiKeyId, apiKeyParams, cursor, instant, label, limit, namespaces, role } from './fields.ts';
import { paging } from './paging.ts';
import { apiKeyView, pageOf, viewApiKey } from './views.ts';

const SEVEN_DAYS_IN_SECONDS = 7 * 24 * 60 * 60;

export const apiKeyRoutes = [
  guarded({
    method: 'POST',
    path: '/api-keys',
    summary: 'Makes an API key; the key itself is in this answer and never again',
    permission: 'api_key:manage',
    action: 'api_key.created',
    idempotent: true,
    body: z.strictObject({
      name: label(128),
      role,
      namespaces,
      expiresAt: instant.optional(),
      honeypot: z.boolean().optional(),
    }),
    responses: [
      {
        status: 201,
        description: 'The key; a repeated request gets it without "key"',
        schema: apiKeyView.extend({ key: z.string().optional() }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      return { status: 201, json: viewNewKey(await createApiKey(vault, context, body)) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/api-keys',
    summary: 'The API keys of the workspace, oldest first, without the keys themselves',
    permission: 'api_key:list',
    action: 'api_key.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [
      {
        status: 200,
        description: 'A page of keys; lastUsedAt is exact to five minutes',
        schema: pageOf(apiKeyView.extend({ lastUsedAt: z.string().nullable() })),
      },
    ],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /api-keys', query);
      const page = await listApiKeys(vault, context, { limit: query.limit, ...(await pages.after()) });
      const items = page.items.map(({ apiKey, lastUsedAt }) => ({
        ...viewApiKey(apiKey),
        lastUsedAt: lastUsedAt ?? null,
      }));
      return { status: 200, json: { items, nextCursor: await pages.nextCursor(page.next) } };
    },
  }),
  guarded({
    method: 'POST',
    path: '/api-keys/{id}/rotate',
    summary:
      'Makes a successor with the same rights; the old key works for overlapSeconds more, at most seven days',
    permission: 'api_key:manage',
    action: 'api_key.rotated',
    idempotent: true,
    params: apiKeyParams,
    body: z.strictObject({
      overlapSeconds: z
        .int('must be a whole number')
        .min(0, 'must be at least 0')
        .max(SEVEN_DAYS_IN_SECONDS, `must be at most ${SEVEN_DAYS_IN_SECONDS}`),
    }),
    responses: [
      {
        status: 201,
        description: 'The successor; a repeated request gets it without "key"',
        schema: apiKeyView.extend({ key: z.string().optional() }),
      },
    ],
    handle: async ({ params, body }, context, vault) => {
      const made = await rotateApiKey(vault, context, { id: apiKeyId(params), ...body });
      return { status: 201, json: viewNewKey(made) };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'Revokes an API key at once',
    permission: 'api_key:manage',
    action: 'api_key.revoked',
    params: apiKeyParams,
    responses: [{ status: 204, description: 'Its next request is refused' }],
    handle: async ({ params }, context, vault) => {
      await revokeApiKey(vault, context, apiKeyId(params));
      return { status: 204 };
    },
  }),
];

function viewNewKey({ apiKey, token }: { readonly apiKey: ApiKey; readonly token?: string }) {
  return { ...viewApiKey(apiKey), ...(token === undefined ? {} : { key: token }) };
}
