import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import type { Place } from '../identity/person.ts';
import { remove } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { findMember, managedMember } from './find-member.ts';
import { membershipKind } from './membership.ts';
import { ownersChange } from './owners.ts';
import { revokeInvitationsOf } from './revoke-invitation.ts';
import { tidyUserWorkspaces } from './user-workspaces.ts';

/**
 * Ends a membership: every session of the person in this workspace is refused from their next request on, and links
 * that were sent to them are dead. A person may leave by themselves.
 *
 * @throws VaultError `forbidden` for members above the caller; `last_owner`.
 */
export async function removeMember(
  parts: Pick<IdentityParts, 'store' | 'trail' | 'clock'>,
  context: RequestContext,
  userId: string,
): Promise<void> {
  const { workspaceId } = context.principal;
  const origin = originOf(context);
  await retryRefused(async () => {
    const { workspace, membership } = await memberToGo(parts.store, context, userId);
    const owners = ownersChange(workspace, userId, undefined);
    // Before the membership goes: a crash here leaves a member whom the same request still finds.
    await revokeInvitationsOf(parts, membership, origin);
    await parts.trail.commit(origin, [
      {
        action: 'member.removed',
        entity: { type: 'user', id: userId },
        result: 'success',
        detail: { role: membership.role },
        changes: [remove(membershipKind, membership), ...owners],
      },
    ]);
  });
  await tidyUserWorkspaces(parts, userId, workspaceId, origin);
}

/** Leaving is everybody's own affair; removing others is not. */
async function memberToGo(store: Store, context: RequestContext, userId: string): Promise<Place> {
  const { principal } = context;
  if (principal.type !== 'user' || principal.id !== userId) return managedMember(store, context, userId);
  authorize(principal, 'member:leave');
  return findMember(store, context, userId);
}
