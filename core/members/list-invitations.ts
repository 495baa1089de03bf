import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import type { Page } from '../kernel/store.ts';
import { type Invitation, invitationKind, invitationList, isUsable } from './membership.ts';

/** The invitations whose links still work, oldest first. A page may have fewer than asked for. */
export async function listInvitations(
  { store, trail, clock }: Pick<IdentityParts, 'store' | 'trail' | 'clock'>,
  context: RequestContext,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Invitation>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'member:list');
  const { items, ...rest } = await store.list(invitationKind, {
    list: invitationList(workspaceId),
    ...page,
  });
  await trail.commit(originOf(context), [
    { action: 'invitation.listed', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  const now = clock.now();
  return { items: items.filter((invitation) => isUsable(invitation, now)), ...rest };
}
