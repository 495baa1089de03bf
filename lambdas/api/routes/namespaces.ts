import * as z from 'zod';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { listNamespaces } from '../../../core/namespaces/list-namespaces.ts';
import { guarded } from '../http/route.ts';
import { cursor, limit, name } from './fields.ts';
import { paging } from './paging.ts';
import { namespaceView, pageOf, viewNamespace } from './views.ts';

export const namespaceRoutes = [
  guarded({
    method: 'GET',
    path: '/namespaces',
    summary: 'The namespaces that the caller may see, by name',
    permission: 'namespace:list',
    action: 'namespace.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of namespaces', schema: pageOf(namespaceView) }],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /namespaces', query);
      const page = await listNamespaces(vault, context, { limit: query.limit, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewNamespace), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'POST',
    path: '/namespaces',
    summary: 'Makes a namespace',
    permission: 'namespace:create',
    action: 'namespace.created',
    idempotent: true,
    body: z.strictObject({ name }),
    responses: [{ status: 201, description: 'The namespace', schema: namespaceView }],
    handle: async ({ body }, context, vault) => ({
      status: 201,
      json: viewNamespace(await createNamespace(vault, context, body)),
    }),
  }),
  guarded({
    method: 'DELETE',
    path: '/namespaces/{namespace}',
    summary: 'Deletes an empty namespace',
    permission: 'namespace:delete',
    action: 'namespace.deleted',
    params: z.strictObject({ namespace: name }),
    responses: [{ status: 204, description: 'It is gone' }],
    handle: async ({ params }, context, vault) => {
      await deleteNamespace(vault, context, params.namespace);
      return { status: 204 };
    },
  }),
];
