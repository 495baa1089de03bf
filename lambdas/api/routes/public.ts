import * as z from 'zod';
import { setUp } from '../../../core/workspaces/set-up.ts';
import { open } from '../http/route.ts';
import { email, label, password } from './fields.ts';
import { apiKeyView, viewApiKey } from './views.ts';

export const publicRoutes = [
  open({
    method: 'GET',
    path: '/health',
    summary: 'Whether the API answers',
    permission: 'public',
    responses: [{ status: 200, description: 'It does', schema: z.object({ status: z.literal('ok') }) }],
    handle: async () => ({ status: 200, json: { status: 'ok' } }),
  }),
  open({
    method: 'POST',
    path: '/setup',
    summary:
      'Makes the first workspace, its owner and an owner key; later, with a fresh token, recovers the owner',
    permission: 'public',
    body: z.strictObject({
      setupToken: z.string().min(1).max(256),
      workspaceName: label(128),
      email: email.optional(),
      password: password.optional(),
    }),
    responses: [
      {
        status: 201,
        description: 'The workspace and the owner key, shown this once',
        schema: z.object({
          workspaceId: z.string(),
          workspaceName: z.string(),
          recovered: z.boolean(),
          owner: z.object({ id: z.string(), email: z.string() }).optional(),
          apiKey: apiKeyView.extend({ key: z.string() }),
        }),
      },
    ],
    handle: async ({ body }, request, vault) => {
      const { apiKey, token, owner, ...workspace } = await setUp(vault, body, request);
      return {
        status: 201,
        json: {
          ...workspace,
          ...(owner === undefined ? {} : { owner: { id: owner.id, email: owner.email } }),
          apiKey: { ...viewApiKey(apiKey), key: token },
        },
      };
    },
  }),
];
