import * as z from 'zod';
import { listVersions } from '../../../core/secrets/list-versions.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { revealByName } from '../../../core/secrets/reveal-by-name.ts';
import { type RevealedSecret, revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { MAX_BULK_SECRETS, revealSecrets } from '../../../core/secrets/reveal-secrets.ts';
import { rollbackSecret } from '../../../core/secrets/rollback-secret.ts';
import { guarded } from '../http/route.ts';
import { cursor, limit, name, secretId, secretParams, value, version } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf, revealedView, secretView, versionView, viewSecret, viewVersion } from './views.ts';

/** The values of secrets: written, revealed, and their history. */
export const secretValueRoutes = [
  guarded({
    method: 'PUT',
    path: '/secrets/{id}/value',
    summary: 'Writes a new version, which becomes the current one',
    permission: 'secret:write',
    action: 'secret.value_updated',
    conditional: true,
    params: secretParams,
    body: z.strictObject({ value }),
    responses: [{ status: 200, description: 'The metadata as it is now', schema: secretView }],
    handle: async ({ params, body }, context, vault) => {
      const secret = await putValue(vault, context, secretId(params), body.value);
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/secrets/{id}/reveal',
    summary: 'The value of a secret, of the current version or another',
    permission: 'secret:reveal',
    action: 'secret.revealed',
    params: secretParams,
    body: z.strictObject({ version: version.optional() }),
    responses: [{ status: 200, description: 'The value', schema: revealedView }],
    handle: async ({ params, body }, context, vault) => {
      const revealed = await revealSecret(vault, context, { id: secretId(params), version: body.version });
      return { status: 200, headers: etag(revealed.secret), json: viewRevealed(revealed) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/secrets/reveal',
    summary: 'The values of a namespace or of some secrets: at most 50, and 4 MiB together',
    permission: 'secret:reveal',
    action: 'secret.bulk_revealed',
    body: z.union(
      [
        z.strictObject({ namespace: name }),
        z.strictObject({
          ids: z
            .array(z.string().regex(/^sec_[0-9a-f]{32}$/, 'must be the id of a secret'))
            .min(1, 'must name at least one secret')
            .max(MAX_BULK_SECRETS, `must name at most ${MAX_BULK_SECRETS} secrets`),
        }),
      ],
      { error: `must have either "namespace", or "ids" with 1 to ${MAX_BULK_SECRETS} entries` },
    ),
    responses: [
      {
        status: 200,
        description: 'The values, and the secrets that could not be revealed',
        schema: z.object({
          items: z.array(revealedView),
          errors: z.array(z.object({ id: z.string(), code: z.string(), detail: z.string() })),
        }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const { items, errors } = await revealSecrets(vault, context, body);
      return { status: 200, json: { items: items.map(viewRevealed), errors } };
    },
  }),
  guarded({
    method: 'GET',
    path: '/secrets/{id}/versions',
    summary: 'The versions of a secret, newest first: who wrote them and when',
    permission: 'secret:read',
    action: 'secret.versions_listed',
    params: secretParams,
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of versions', schema: pageOf(versionView) }],
    handle: async ({ params, query }, context, vault) => {
      const id = secretId(params);
      const pages = paging<string>(vault, context, `GET /secrets/${id}/versions`, query);
      const { secret, page } = await listVersions(vault, context, {
        id,
        limit: query.limit,
        ...(await pages.after()),
      });
      return {
        status: 200,
        headers: etag(secret),
        json: {
          items: page.items.map((item) => viewVersion(secret, item)),
          nextCursor: await pages.nextCursor(page.next),
        },
      };
    },
  }),
  guarded({
    method: 'POST',
    path: '/secrets/{id}/rollback',
    summary: 'Makes an earlier value current again, as a new version',
    permission: 'secret:write',
    action: 'secret.rolled_back',
    idempotent: true,
    conditional: true,
    params: secretParams,
    body: z.strictObject({ version }),
    responses: [{ status: 200, description: 'The metadata as it is now', schema: secretView }],
    handle: async ({ params, body }, context, vault) => {
      const secret = await rollbackSecret(vault, context, { id: secretId(params), version: body.version });
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
  guarded({
    method: 'GET',
    path: '/namespaces/{namespace}/secrets/{name}/value',
    summary:
      'The current value by name, for machines; 304 without decrypting if If-None-Match names the revision',
    permission: 'secret:reveal',
    action: 'secret.revealed',
    bearerOnly: true,
    conditional: true,
    params: z.strictObject({ namespace: name, name }),
    responses: [
      { status: 200, description: 'The value', schema: revealedView },
      { status: 304, description: 'Not modified' },
    ],
    handle: async ({ params }, context, vault) => {
      const { secret, revealed } = await revealByName(vault, context, params);
      if (revealed === undefined) return { status: 304, headers: etag(secret) };
      return { status: 200, headers: etag(secret), json: viewRevealed(revealed) };
    },
  }),
];

function viewRevealed({ secret, version: revealedVersion, value: text }: RevealedSecret) {
  return { id: secret.id, name: secret.name, version: revealedVersion, value: text };
}
