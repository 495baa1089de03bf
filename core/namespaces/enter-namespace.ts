import type { RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { type Change, check, create } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { namespaceKind } from './namespace.ts';

/** What a commit must contain to put something into a namespace. */
export interface NamespaceEntry {
  /** Makes the namespace, where it was not there yet. */
  readonly events: readonly AuditEvent[];
  /** Refuses the commit if the namespace was closed meanwhile. */
  readonly changes: readonly Change[];
}

const MAX_ATTEMPTS = 3;

/**
 * Carries out `commit` so that its secrets end in a namespace that exists: an absent one is made on the way. Of two
 * requests that make the same namespace one is refused, and then finds it there.
 */
export async function enterNamespace<T>(
  parts: { readonly store: Store; readonly clock: Clock },
  context: RequestContext,
  name: string,
  commit: (entry: NamespaceEntry) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const entry = await prepare(parts, context, name);
    try {
      return await commit(entry);
    } catch (error) {
      const lostRace = error instanceof RefusedChanges && error.includes(namespaceKind.name);
      if (!lostRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function prepare(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  context: RequestContext,
  name: string,
): Promise<NamespaceEntry> {
  const { workspaceId } = context.principal;
  const namespace = await store.get(namespaceKind, workspaceId, name);
  if (namespace?.state === 'open') return { events: [], changes: [check(namespaceKind, namespace)] };
  if (namespace !== undefined) {
    throw new VaultError(
      'concurrent_change',
      `The namespace ${name} is being deleted. Use another, or retry later.`,
    );
  }
  authorize(context.principal, 'namespace:create', name);
  return { events: [namespaceCreated(name, [newNamespace(context, name, clock)])], changes: [] };
}

export function newNamespace({ principal }: RequestContext, name: string, clock: Clock) {
  return create(namespaceKind, {
    workspaceId: principal.workspaceId,
    id: name,
    state: 'open',
    createdAt: timestamp(clock.now()),
    createdBy: principal.id,
  });
}

export function namespaceCreated(name: string, changes: readonly Change[]): AuditEvent {
  return { action: 'namespace.created', entity: { type: 'namespace', id: name }, result: 'success', changes };
}
