import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** A tenant: the boundary that no query crosses. */
const workspaceSchema = z.strictObject({
  kind: z.literal('workspace'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  name: z.string(),
  createdAt: z.string(),
});

export type Workspace = z.infer<typeof workspaceSchema>;

export const ALL_WORKSPACES = 'workspaces';

export const workspaceKind: Kind<Workspace> = {
  name: 'workspace',
  schema: workspaceSchema,
  listing: (workspace) => ({ list: ALL_WORKSPACES, key: workspace.id }),
};
