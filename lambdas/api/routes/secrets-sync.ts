import * as z from 'zod';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { isName } from '../../../core/secrets/name.ts';
import { createBootstrapKey } from '../../../core/secrets-sync/create-bootstrap-key.ts';
import { SYNC_FAULTS } from '../../../core/secrets-sync/customer-secrets.ts';
import { deleteSecretsSync } from '../../../core/secrets-sync/delete-secrets-sync.ts';
import { remedyFor } from '../../../core/secrets-sync/fault-remedies.ts';
import { getSecretsSync, type SyncView, viewSync } from '../../../core/secrets-sync/get-secrets-sync.ts';
import { MAX_SYNCED_NAMESPACES } from '../../../core/secrets-sync/secrets-sync.ts';
import { setSecretsSync } from '../../../core/secrets-sync/set-secrets-sync.ts';
import { guarded } from '../http/route.ts';
import { instant, namespaces, role } from './fields.ts';
import { apiKeyView, etag, viewApiKey } from './views.ts';

const name = z
  .string()
  .refine(isName, 'must have 1 to 128 characters of A-Z a-z 0-9 . _ -, and not be "." or ".."');

/** No `*`: a namespace that somebody makes later must not be copied unasked. */
const syncedNamespaces = z
  .array(name)
  .max(MAX_SYNCED_NAMESPACES, `must have at most ${MAX_SYNCED_NAMESPACES} entries`)
  .refine((list) => new Set(list).size === list.length, 'must not name a namespace twice');

const reason = z.enum(SYNC_FAULTS);
const policy = z.object({ Version: z.string(), Statement: z.array(z.record(z.string(), z.unknown())) });

const syncView = z.object({
  state: z.enum(['off', 'active', 'failing']),
  namespaces: z.array(z.string()),
  roleArn: z.string().optional(),
  region: z.string().optional(),
  prefix: z.string(),
  lastRunAt: z.string().optional(),
  copies: z.int(),
  faults: z.int(),
  problems: z.array(z.object({ secretId: z.string(), name: z.string(), reason, remedy: z.string() })),
  failing: z
    .object({
      since: z.string(),
      attempts: z.int(),
      nextAttemptAt: z.string(),
      reason,
      remedy: z.string(),
    })
    .optional(),
  role: z.object({ externalId: z.string(), trustPolicy: policy, permissionsPolicy: policy }),
});

function viewed({ sync, state, prefix, role: forRole }: SyncView) {
  const { failing, finishedAt, copies = 0, faults = 0, problems = [] } = state ?? {};
  return {
    state: sync === undefined ? 'off' : failing === undefined ? 'active' : 'failing',
    namespaces: sync?.namespaces ?? [],
    ...(sync?.roleArn === undefined ? {} : { roleArn: sync.roleArn }),
    ...(sync === undefined ? {} : { region: sync.region }),
    prefix,
    ...(finishedAt === undefined ? {} : { lastRunAt: timestamp(finishedAt) }),
    copies,
    faults,
    problems: problems.map((problem) => ({ ...problem, remedy: remedyFor(problem.reason) })),
    ...(failing === undefined
      ? {}
      : {
          failing: {
            since: timestamp(failing.since),
            attempts: failing.attempts,
            nextAttemptAt: timestamp(failing.nextAttemptAt),
            reason: failing.reason,
            remedy: remedyFor(failing.reason),
          },
        }),
    role: forRole,
  };
}

function answer(view: SyncView) {
  const headers = view.sync === undefined ? {} : { headers: etag(view.sync) };
  return { status: 200, ...headers, json: viewed(view) };
}

export const secretsSyncRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/secrets-sync',
    summary:
      "Which namespaces are copied into the customer's AWS Secrets Manager and how that goes, and the policies of a role for it",
    permission: 'secrets_sync:read',
    action: 'secrets_sync.read',
    responses: [{ status: 200, description: 'The sync; with an ETag where there is one', schema: syncView }],
    handle: async (_, context, vault) => answer(await getSecretsSync(vault, context)),
  }),
  guarded({
    method: 'PUT',
    path: '/workspace/secrets-sync',
    summary:
      'Sets which namespaces are copied, and where to; a role is proven first. Set once more as it is, every copy is looked at',
    permission: 'secrets_sync:manage',
    action: 'secrets_sync.updated',
    conditional: true,
    body: z.strictObject({
      namespaces: syncedNamespaces,
      roleArn: z.string().max(2_048, 'is too long to be one').optional(),
      region: z.string().max(32, 'is too long to be one').optional(),
    }),
    responses: [{ status: 200, description: 'The sync as it is now', schema: syncView }],
    handle: async ({ body }, context, vault) => {
      await setSecretsSync(vault, context, body);
      return answer(await viewSync(vault, context.principal.workspaceId));
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/secrets-sync',
    summary: 'Ends the sync; copies stay where they are',
    permission: 'secrets_sync:manage',
    action: 'secrets_sync.deleted',
    conditional: true,
    responses: [{ status: 204, description: 'Nothing is copied any more' }],
    handle: async (_, context, vault) => {
      await deleteSecretsSync(vault, context);
      return { status: 204 };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/secrets-sync/bootstrap-key',
    summary: 'Makes an API key whose token is in no answer: it lies in AWS Secrets Manager under its name',
    permission: 'secrets_sync:manage',
    action: 'api_key.created',
    idempotent: true,
    body: z.strictObject({ name, role, namespaces, expiresAt: instant.optional() }),
    responses: [
      {
        status: 201,
        description: 'The key, and where its token lies',
        schema: apiKeyView.extend({
          storedAs: z.object({ accountId: z.string(), region: z.string(), name: z.string() }),
        }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const { apiKey, stored } = await createBootstrapKey(vault, context, body);
      return { status: 201, json: { ...viewApiKey(apiKey), storedAs: stored } };
    },
  }),
];
