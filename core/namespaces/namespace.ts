import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** A named group of secrets; API keys can be limited to some. Its id is its name. */
const namespaceSchema = z.strictObject({
  kind: z.literal('namespace'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** `closing` while it is being deleted: nothing can be put into it any more. */
  state: z.enum(['open', 'closing']),
  createdAt: z.string(),
  createdBy: z.string(),
});

export type Namespace = z.infer<typeof namespaceSchema>;

export const namespaceKind: Kind<Namespace> = {
  name: 'namespace',
  schema: namespaceSchema,
  listing: (namespace) => ({ list: namespaceList(namespace.workspaceId), key: namespace.id }),
};

export function namespaceList(workspaceId: string): string {
  return `${workspaceId}#namespaces`;
}
