import type { RequestContext } from '../access/principal.ts';
import { authorize, authorizeRole } from '../access/role.ts';
import type { Place } from '../identity/person.ts';
import { notFound } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { membershipKind } from './membership.ts';

/**
 * A member of the caller's workspace, and that workspace as it was just before.
 *
 * @throws VaultError `not_found` for people of other workspaces and for absent ones, alike.
 */
export async function findMember(
  store: Store,
  { principal: { workspaceId } }: RequestContext,
  userId: string,
): Promise<Place> {
  const [workspace, membership] = await Promise.all([
    store.get(workspaceKind, workspaceId, workspaceId),
    store.get(membershipKind, workspaceId, userId),
  ]);
  if (workspace === undefined || membership === undefined) throw notFound('member');
  return { workspace, membership };
}

/**
 * A member whom the caller may manage: nobody manages somebody above them.
 *
 * @throws VaultError `forbidden`, `not_found`
 */
export async function managedMember(store: Store, context: RequestContext, userId: string): Promise<Place> {
  authorize(context.principal, 'member:manage');
  const place = await findMember(store, context, userId);
  authorizeRole(context.principal, place.membership.role);
  return place;
}
