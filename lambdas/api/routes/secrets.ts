import * as z from 'zod';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { exportSecrets } from '../../../core/secrets/export-secrets.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { importSecrets } from '../../../core/secrets/import-secrets.ts';
import { listSecrets } from '../../../core/secrets/list-secrets.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { updateSecret } from '../../../core/secrets/update-secret.ts';
import { guarded } from '../http/route.ts';
import { csv, csvText } from './csv.ts';
import { cursor, description, flag, limit, name, secretId, secretParams, tags, value } from './fields.ts';
import { paging } from './paging.ts';
import { etag, pageOf, secretView, viewSecret } from './views.ts';

const CSV_COLUMNS = [
  'id',
  'namespace',
  'name',
  'description',
  'tags',
  'isCUI',
  'version',
  'createdAt',
  'createdBy',
  'updatedAt',
  'updatedBy',
];

/** Secrets as things with metadata; their values are in `secret-values.ts`. */
export const secretRoutes = [
  guarded({
    method: 'POST',
    path: '/secrets',
    summary: 'Stores a secret; its namespace is made if it is not there yet. Opening a decoy raises an alert',
    permission: 'secret:write',
    action: 'secret.created',
    idempotent: true,
    conditional: true,
    body: z.strictObject({
      namespace: name,
      name,
      value,
      description: description.optional(),
      tags: tags.optional(),
      isCUI: z.boolean().optional(),
      decoy: z.boolean().optional(),
    }),
    responses: [{ status: 201, description: 'The metadata of the new secret', schema: secretView }],
    handle: async ({ body }, context, vault) => {
      const secret = await createSecret(vault, context, body);
      return {
        status: 201,
        headers: { ...etag(secret), Location: `/secrets/${secret.id}` },
        json: viewSecret(secret),
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/secrets',
    summary: 'Metadata of secrets by namespace and name, or of deleted ones by the time of their deletion',
    permission: 'secret:list',
    action: 'secret.listed',
    query: z.strictObject({
      namespace: name.optional(),
      tag: z.string().min(1).max(128).optional(),
      isCUI: flag.optional(),
      q: z.string().min(1).max(128).optional(),
      deleted: flag.optional(),
      decoy: flag.optional(),
      limit,
      cursor: cursor.optional(),
    }),
    responses: [{ status: 200, description: 'A page of metadata, never values', schema: pageOf(secretView) }],
    handle: async ({ query }, context, vault) => {
      const { limit: size, cursor: _cursor, ...filter } = query;
      const pages = paging<string>(vault, context, 'GET /secrets', query);
      const page = await listSecrets(vault, context, filter, { limit: size, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewSecret), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/secrets/export',
    summary: 'Metadata of all secrets, or of those marked as CUI or not, as CSV (at most 10,000 rows)',
    permission: 'secret:export',
    action: 'secret.exported',
    query: z.strictObject({ isCUI: flag.optional(), cursor: cursor.optional() }),
    responses: [
      {
        status: 200,
        description: 'CSV (RFC 4180); Link rel="next" when there is more',
        contentType: 'text/csv',
      },
    ],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /secrets/export', query);
      const { after } = await pages.after();
      const { items, next } = await exportSecrets(vault, context, { isCUI: query.isCUI }, after);
      const rows = items
        .map(viewSecret)
        .map((secret) => [
          secret.id,
          secret.namespace,
          secret.name,
          csvText(secret.description ?? ''),
          csvText(secret.tags.join(' ')),
          String(secret.isCUI),
          String(secret.version),
          secret.createdAt,
          secret.createdBy,
          secret.updatedAt,
          secret.updatedBy,
        ]);
      const filters = query.isCUI === undefined ? {} : { isCUI: String(query.isCUI) };
      return csv('secrets.csv', CSV_COLUMNS, rows, '/secrets/export', filters, await pages.nextCursor(next));
    },
  }),
  guarded({
    method: 'POST',
    path: '/secrets/import',
    summary: 'Stores the credentials of a .env file or of a JSON object, at most 500',
    permission: 'secret:write',
    action: 'secret.imported',
    idempotent: true,
    body: z.strictObject({
      format: z.enum(['env', 'json']),
      namespace: name,
      content: z.string().refine((text) => text.isWellFormed(), 'must be well-formed Unicode'),
      onConflict: z.enum(['fail', 'skip', 'upsert']).default('fail'),
    }),
    responses: [
      {
        status: 200,
        description: 'What became of each',
        schema: z.object({
          created: z.int(),
          updated: z.int(),
          skipped: z.int(),
          items: z.array(z.object({ name: z.string(), id: z.string(), outcome: z.string() })),
        }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const items = await importSecrets(vault, context, body);
      const count = (outcome: string): number => items.filter((item) => item.outcome === outcome).length;
      return {
        status: 200,
        json: { created: count('created'), updated: count('updated'), skipped: count('skipped'), items },
      };
    },
  }),
  guarded({
    method: 'GET',
    path: '/secrets/{id}',
    summary: 'The metadata of a secret',
    permission: 'secret:read',
    action: 'secret.read',
    params: secretParams,
    responses: [{ status: 200, description: 'Metadata, never the value', schema: secretView }],
    handle: async ({ params }, context, vault) => {
      const secret = await getSecret(vault, context, secretId(params));
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/secrets/{id}',
    summary: 'Changes the description, tags or CUI flag; a null description removes it',
    permission: 'secret:write',
    action: 'secret.updated',
    conditional: true,
    params: secretParams,
    body: z
      .strictObject({
        description: description.nullable().optional(),
        tags: tags.optional(),
        isCUI: z.boolean().optional(),
      })
      .refine((patch) => Object.keys(patch).length > 0, 'must change something: description, tags or isCUI'),
    responses: [{ status: 200, description: 'The metadata as it is now', schema: secretView }],
    handle: async ({ params, body }, context, vault) => {
      const secret = await updateSecret(vault, context, secretId(params), body);
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/secrets/{id}',
    summary:
      'Deletes a secret, restorable for seven days; with purge=true destroys a deleted one for good (owners)',
    permission: 'secret:delete',
    action: 'secret.deleted',
    conditional: true,
    params: secretParams,
    query: z.strictObject({ purge: flag.optional() }),
    responses: [
      {
        status: 200,
        description: 'Deleted; the metadata says until when it can be restored',
        schema: secretView,
      },
      { status: 204, description: 'Purged' },
    ],
    handle: async ({ params, query }, context, vault) => {
      if (query.purge) {
        await purgeSecret(vault, context, secretId(params));
        return { status: 204 };
      }
      const secret = await deleteSecret(vault, context, secretId(params));
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/secrets/{id}/restore',
    summary: 'Brings a deleted secret back',
    permission: 'secret:delete',
    action: 'secret.restored',
    conditional: true,
    params: secretParams,
    responses: [{ status: 200, description: 'The metadata as it is now', schema: secretView }],
    handle: async ({ params }, context, vault) => {
      const secret = await restoreSecret(vault, context, secretId(params));
      return { status: 200, headers: etag(secret), json: viewSecret(secret) };
    },
  }),
];
