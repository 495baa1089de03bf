import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import type { Page } from '../kernel/store.ts';
import { type Membership, memberList, membershipKind } from './membership.ts';

/** The people of the workspace, in the order of joining. */
export async function listMembers(
  { store, trail }: Pick<IdentityParts, 'store' | 'trail'>,
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Membership>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'member:list');
  const listed = await store.list(membershipKind, { list: memberList(workspaceId), ...page });
  await trail.commit(originOf(context), [
    { action: 'member.listed', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  return listed;
}
