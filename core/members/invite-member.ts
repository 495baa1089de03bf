import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, authorizeRole, type Role } from '../access/role.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { newOpaqueToken, opaqueTokenId } from '../identity/opaque-token.ts';
import { findPerson } from '../identity/person.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { emailId, normalizeEmail } from '../identity/user.ts';
import { create } from '../kernel/entity.ts';
import { unavailable, VaultError } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandRoomForPerson } from '../plans/kept.ts';
import type { PlanName } from '../plans/plan.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { INVITATION_MS, type Invitation, invitationKind, membershipKind } from './membership.ts';

type Parts = Pick<
  IdentityParts,
  'store' | 'trail' | 'clock' | 'random' | 'bookkeeping' | 'mail' | 'publicUrl'
> & {
  /** The plan of workspaces that were assigned none. */
  readonly defaultPlan: PlanName;
};

/**
 * Mails somebody a link to join the workspace, whether they have an account or not. It works once, for seven days.
 *
 * `Idempotency-Key` is not honoured: the token is not stored, so a repeat could not send the same link again. Each
 * request makes an invitation of its own, and whoever accepts one is a member, for whom the others are of no use.
 *
 * @throws VaultError `forbidden` for a role above the caller's own; `already_member`; `plan_limit_exceeded`; `rate_limited`;
 * `unavailable` when the mail could not be sent, and then the invitation is listed all the same.
 */
export async function inviteMember(
  parts: Parts,
  context: RequestContext,
  input: { readonly email: string; readonly role: Role },
): Promise<Invitation> {
  const { store, trail, clock, random } = parts;
  const { principal } = context;
  const { workspaceId } = principal;
  authorize(principal, 'member:manage');
  authorizeRole(principal, input.role);
  // Nobody's mailbox is filled by way of the vault.
  await limitRequests(parts, 'invite', context.ip, emailId(input.email));
  const workspace = await openWorkspace(store, workspaceId);
  const email = normalizeEmail(input.email);
  const person = await findPerson(store, email);
  if (person !== undefined && (await store.get(membershipKind, workspaceId, person.id)) !== undefined) {
    throw new VaultError('already_member', 'There is a member with this e-mail address already.');
  }
  await demandRoomForPerson(parts, workspace, email);
  const token = newOpaqueToken('invitation', random);
  const now = clock.now();
  const invitation = create(invitationKind, {
    workspaceId,
    id: opaqueTokenId('invitation', token),
    email,
    role: input.role,
    createdAt: timestamp(now),
    invitedBy: principal.id,
    expiresAt: now + INVITATION_MS,
  });
  await trail.commit(originOf(context), [
    {
      action: 'member.invited',
      entity: { type: 'invitation', id: invitation.entity.id },
      result: 'success',
      detail: { role: input.role },
      changes: [invitation],
    },
  ]);
  await sendLink(parts, invitation.entity, workspace.name, await inviterName(parts, context), token);
  return invitation.entity;
}

async function inviterName({ store }: Parts, { principal }: RequestContext): Promise<string> {
  if (principal.type === 'api_key') return 'An administrator';
  const inviter = await store.get(membershipKind, principal.workspaceId, principal.id);
  return inviter?.email ?? 'An administrator';
}

async function sendLink(
  { mail, publicUrl }: Parts,
  { email, role }: Invitation,
  workspaceName: string,
  inviter: string,
  token: string,
): Promise<void> {
  try {
    await mail.send({
      to: email,
      subject: `Invitation to ${workspaceName} on Lockzero`,
      text: `${inviter} invites you to join the workspace "${workspaceName}" on Lockzero, with the role ${role}.\n\nThis link works once, for seven days:\n${publicUrl}/accept-invitation?token=${token}\n\nIf you did not expect this, do nothing: you join only if you open the link and accept.\n`,
    });
  } catch (error) {
    throw unavailable(
      'The invitation was made, but its mail could not be sent. Send this again for a new link; revoke this one if you like.',
      error,
    );
  }
}
