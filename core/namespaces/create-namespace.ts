import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { RefusedChanges } from '../audit/append.ts';
import { type IdempotencyParts, once } from '../idempotency/once.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import { namespaceCreated, newNamespace } from './enter-namespace.ts';
import { type Namespace, namespaceKind } from './namespace.ts';

/** @throws VaultError `name_taken` */
export async function createNamespace(
  parts: IdempotencyParts,
  context: RequestContext,
  input: { readonly name: string },
): Promise<Namespace> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'namespace:create', input.name);
  const read = async (name: string): Promise<Namespace> => {
    const namespace = await parts.store.get(namespaceKind, workspaceId, name);
    if (namespace === undefined) throw notFound('namespace');
    return namespace;
  };
  const request = {
    route: 'POST /namespaces',
    action: 'namespace.created',
    entityType: 'namespace',
    input,
  } as const;
  return once(parts, context, request, {
    replay: read,
    perform: async (record) => {
      const made = newNamespace(context, input.name, parts.clock);
      try {
        await parts.trail.commit(originOf(context), [
          namespaceCreated(input.name, [made, ...record(input.name)]),
        ]);
      } catch (error) {
        if (!(error instanceof RefusedChanges) || !error.includes(namespaceKind.name)) throw error;
        throw new VaultError('name_taken', `The namespace ${input.name} exists already.`);
      }
      return made.entity;
    },
  });
}
