import * as z from 'zod';
import { ROLES } from '../access/role.ts';
import type { Kind } from '../kernel/entity.ts';
import type { Random } from '../kernel/ports.ts';
import { DAY_MS } from '../kernel/timestamps.ts';

/** That a person may enter a workspace, and as what. Its id is the person's. Read on every request. */
const membershipSchema = z.strictObject({
  kind: z.literal('membership'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  email: z.string(),
  role: z.enum(ROLES),
  joinedAt: z.string(),
  invitedBy: z.string(),
  /** Random; sessions carry it. A person who leaves and comes back gets another one, so that old sessions stay dead. */
  sessionGroup: z.string(),
  /** Logins from before this cannot come here from another workspace. */
  signedOutAt: z.string().optional(),
});

export type Membership = z.infer<typeof membershipSchema>;

export const membershipKind: Kind<Membership> = {
  name: 'membership',
  schema: membershipSchema,
  listing: (membership) => ({
    list: memberList(membership.workspaceId),
    key: `${membership.joinedAt}#${membership.id}`,
  }),
};

/** A fresh {@link Membership.sessionGroup}. */
export function newSessionGroup(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}

export function memberList(workspaceId: string): string {
  return `${workspaceId}#members`;
}

/** An invitation by e-mail. Its id derives from the token in the link. */
const invitationSchema = z.strictObject({
  kind: z.literal('invitation'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  email: z.string(),
  role: z.enum(ROLES),
  createdAt: z.string(),
  invitedBy: z.string(),
  acceptedAt: z.string().optional(),
  revokedAt: z.string().optional(),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type Invitation = z.infer<typeof invitationSchema>;

export const invitationKind: Kind<Invitation> = {
  name: 'invitation',
  schema: invitationSchema,
  listing: (invitation) => ({
    list: isOpen(invitation)
      ? invitationList(invitation.workspaceId)
      : `${invitation.workspaceId}#closedInvitations`,
    key: `${invitation.createdAt}#${invitation.id}`,
  }),
  expiry: (invitation) => invitation.expiresAt,
};

/** The invitations of a workspace that were neither accepted nor revoked. */
export function invitationList(workspaceId: string): string {
  return `${workspaceId}#invitations`;
}

function isOpen({ acceptedAt, revokedAt }: Invitation): boolean {
  return acceptedAt === undefined && revokedAt === undefined;
}

/** Whether its link still works at `now`, in epoch milliseconds. */
export function isUsable(invitation: Invitation, now: number): boolean {
  return isOpen(invitation) && now < invitation.expiresAt;
}

/** How long the link of an invitation works. */
export const INVITATION_MS = 7 * DAY_MS;
