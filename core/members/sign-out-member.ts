import { originOf, type RequestContext } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { update } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { managedMember } from './find-member.ts';
import { membershipKind, newSessionGroup } from './membership.ts';

/**
 * Ends every session that a member has in this workspace, at once. Their sessions elsewhere are none of its business.
 *
 * @throws VaultError `forbidden` for members above the caller.
 */
export function signOutMember(
  { store, trail, clock, random }: Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'random'>,
  context: RequestContext,
  userId: string,
): Promise<void> {
  return retryRefused(async () => {
    const { membership } = await managedMember(store, context, userId);
    await trail.commit(originOf(context), [
      {
        action: 'member.signed_out',
        entity: { type: 'user', id: userId },
        result: 'success',
        changes: [
          update(membershipKind, membership, {
            sessionGroup: newSessionGroup(random),
            signedOutAt: timestamp(clock.now()),
          }),
        ],
      },
    ]);
  });
}
