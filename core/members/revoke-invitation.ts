import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, authorizeRole } from '../access/role.ts';
import type { Origin } from '../audit/event.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { update } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { invitationKind, invitationList, isUsable, type Membership } from './membership.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock'>;

/**
 * Makes the link of an invitation useless.
 *
 * @throws VaultError `not_found` for one that is absent, accepted, revoked or expired; `forbidden` for a role above the
 * caller's own.
 */
export function revokeInvitation(parts: Parts, context: RequestContext, id: string): Promise<void> {
  const { principal } = context;
  authorize(principal, 'member:manage');
  return retryRefused(async () => {
    const invitation = await parts.store.get(invitationKind, principal.workspaceId, id);
    const now = parts.clock.now();
    if (invitation === undefined || !isUsable(invitation, now)) throw notFound('open invitation');
    authorizeRole(principal, invitation.role);
    await parts.trail.commit(originOf(context), [
      {
        action: 'invitation.revoked',
        entity: { type: 'invitation', id },
        result: 'success',
        changes: [update(invitationKind, invitation, { revokedAt: timestamp(now) })],
      },
    ]);
  });
}

/** Invitations looked at, and revoked, in one step. */
const SLICE = 50;

/** Makes every link that was sent to a member useless, so that nobody who is removed comes back by an older one. */
export async function revokeInvitationsOf(
  { store, trail, clock }: Parts,
  { workspaceId, id, email }: Membership,
  origin: Origin,
): Promise<void> {
  const list = invitationList(workspaceId);
  let after: string | undefined;
  do {
    const page = await store.list(invitationKind, {
      list,
      limit: SLICE,
      ...(after === undefined ? {} : { after }),
    });
    const ids = page.items.filter((invitation) => invitation.email === email).map((entry) => entry.id);
    const now = clock.now();
    // Lists may lag behind; what is changed is read anew.
    const current = ids.length === 0 ? [] : await store.getMany(invitationKind, workspaceId, ids);
    const open = current.filter((invitation) => isUsable(invitation, now));
    if (open.length > 0) {
      await trail.commit(origin, [
        {
          action: 'invitation.revoked',
          entity: { type: 'user', id },
          result: 'success',
          changes: open.map((invitation) =>
            update(invitationKind, invitation, { revokedAt: timestamp(now) }),
          ),
        },
      ]);
    }
    after = page.next;
  } while (after !== undefined);
}
