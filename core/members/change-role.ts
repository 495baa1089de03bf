import { originOf, type RequestContext } from '../access/principal.ts';
import { authorizeRole, type Role } from '../access/role.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { update } from '../kernel/entity.ts';
import { managedMember } from './find-member.ts';
import { type Membership, membershipKind } from './membership.ts';
import { ownersChange } from './owners.ts';

/**
 * Gives a member another role, which holds from their next request on.
 *
 * @throws VaultError `forbidden` for a role above the caller's own, the member's old one or the new one; `last_owner`.
 */
export function changeRole(
  { store, trail }: Pick<IdentityParts, 'store' | 'trail'>,
  context: RequestContext,
  { userId, role }: { readonly userId: string; readonly role: Role },
): Promise<Membership> {
  return retryRefused(async () => {
    const { workspace, membership } = await managedMember(store, context, userId);
    authorizeRole(context.principal, role);
    const changed = update(membershipKind, membership, { role });
    await trail.commit(originOf(context), [
      {
        action: 'member.role_changed',
        entity: { type: 'user', id: userId },
        result: 'success',
        detail: { from: membership.role, to: role },
        changes: [changed, ...ownersChange(workspace, userId, role)],
      },
    ]);
    return changed.entity;
  });
}
