import * as z from 'zod';
import { setUp } from '../../../core/workspaces/set-up.ts';
import { open } from '../http/route.ts';
import { label } from './fields.ts';
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
      'Makes the first workspace and its owner key; later, with a fresh token, another owner key for it',
    permission: 'public',
    body: z.strictObject({ setupToken: z.string().min(1).max(256), workspaceName: label(128) }),
    responses: [
      {
        status: 201,
        description: 'The workspace and the owner key, shown this once',
        schema: z.object({
          workspaceId: z.string(),
          workspaceName: z.string(),
          recovered: z.boolean(),
          apiKey: apiKeyView.extend({ key: z.string() }),
        }),
      },
    ],
    handle: async ({ body }, caller, vault) => {
      const { apiKey, token, ...workspace } = await setUp(vault, body, caller);
      return { status: 201, json: { ...workspace, apiKey: { ...viewApiKey(apiKey), key: token } } };
    },
  }),
];
