import * as z from 'zod';
import { ROLES } from '../../../core/access/role.ts';
import { notFound } from '../../../core/kernel/errors.ts';
import { isId } from '../../../core/kernel/ids.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { acceptInvitation } from '../../../core/members/accept-invitation.ts';
import { changeRole } from '../../../core/members/change-role.ts';
import { inviteMember } from '../../../core/members/invite-member.ts';
import { listInvitations } from '../../../core/members/list-invitations.ts';
import { listMembers } from '../../../core/members/list-members.ts';
import type { Invitation, Membership } from '../../../core/members/membership.ts';
import { removeMember } from '../../../core/members/remove-member.ts';
import { revokeInvitation } from '../../../core/members/revoke-invitation.ts';
import { signOutMember } from '../../../core/members/sign-out-member.ts';
import { clearedCookies, readCookie } from '../http/cookies.ts';
import { guarded, open } from '../http/route.ts';
import { cursor, email, limit, opaqueToken, password, role, userId, userParams } from './fields.ts';
import { paging } from './paging.ts';
import { pageOf } from './views.ts';

const memberView = z.object({
  userId: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  joinedAt: z.string(),
  invitedBy: z.string(),
});

function viewMember({ id, email, role, joinedAt, invitedBy }: Membership): z.infer<typeof memberView> {
  return { userId: id, email, role, joinedAt, invitedBy };
}

const invitationView = z.object({
  id: z.string(),
  email: z.string(),
  role: z.enum(ROLES),
  createdAt: z.string(),
  invitedBy: z.string(),
  expiresAt: z.string(),
});

function viewInvitation(invitation: Invitation): z.infer<typeof invitationView> {
  const { id, email, role, createdAt, invitedBy, expiresAt } = invitation;
  return { id, email, role, createdAt, invitedBy, expiresAt: timestamp(expiresAt) };
}

const invitationParams = z.strictObject({ id: z.string() });

function invitationId({ id }: { readonly id: string }): string {
  if (!isId('inv', id)) throw notFound('open invitation');
  return id;
}

export const memberRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/members',
    summary: 'The people of the workspace, in the order of joining',
    permission: 'member:list',
    action: 'member.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of members', schema: pageOf(memberView) }],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /workspace/members', query);
      const page = await listMembers(vault, context, { limit: query.limit, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewMember), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'PATCH',
    path: '/workspace/members/{userId}',
    summary: 'Gives a member another role, at most as high as that of the caller',
    permission: 'member:manage',
    action: 'member.role_changed',
    params: userParams,
    body: z.strictObject({ role }),
    responses: [{ status: 200, description: 'The member as they are now', schema: memberView }],
    handle: async ({ params, body }, context, vault) => {
      const member = await changeRole(vault, context, { userId: userId(params), ...body });
      return { status: 200, json: viewMember(member) };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/members/{userId}',
    summary: 'Removes a member; people may leave by themselves, whatever their role',
    permission: 'member:manage',
    action: 'member.removed',
    params: userParams,
    responses: [{ status: 204, description: 'Their sessions in this workspace are over' }],
    handle: async ({ params }, context, vault) => {
      const id = userId(params);
      await removeMember(vault, context, id);
      return id === context.principal.id ? { status: 204, cookies: clearedCookies() } : { status: 204 };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/members/{userId}/sessions',
    summary: 'Ends every session of a member in this workspace',
    permission: 'member:manage',
    action: 'member.signed_out',
    params: userParams,
    responses: [{ status: 204, description: 'They have to log in again' }],
    handle: async ({ params }, context, vault) => {
      await signOutMember(vault, context, userId(params));
      return { status: 204 };
    },
  }),
  guarded({
    method: 'POST',
    path: '/workspace/invitations',
    summary: 'Mails somebody a link to join the workspace, good once and for seven days',
    permission: 'member:manage',
    action: 'member.invited',
    body: z.strictObject({ email, role }),
    responses: [{ status: 201, description: 'The invitation', schema: invitationView }],
    handle: async ({ body }, context, vault) => ({
      status: 201,
      json: viewInvitation(await inviteMember(vault, context, body)),
    }),
  }),
  guarded({
    method: 'GET',
    path: '/workspace/invitations',
    summary: 'The invitations whose links still work, oldest first',
    permission: 'member:list',
    action: 'invitation.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of invitations', schema: pageOf(invitationView) }],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /workspace/invitations', query);
      const page = await listInvitations(vault, context, { limit: query.limit, ...(await pages.after()) });
      return {
        status: 200,
        json: { items: page.items.map(viewInvitation), nextCursor: await pages.nextCursor(page.next) },
      };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/invitations/{id}',
    summary: 'Revokes an invitation: its link is dead',
    permission: 'member:manage',
    action: 'invitation.revoked',
    params: invitationParams,
    responses: [{ status: 204, description: 'Nobody can accept it any more' }],
    handle: async ({ params }, context, vault) => {
      await revokeInvitation(vault, context, invitationId(params));
      return { status: 204 };
    },
  }),
  open({
    method: 'POST',
    path: '/invitations/accept',
    summary: 'Joins a workspace with the token from the mail, and the password of the account, or a new one',
    permission: 'public',
    sameOrigin: true,
    body: z.strictObject({ token: opaqueToken, password }),
    responses: [
      {
        status: 201,
        description: 'You are a member: log in',
        schema: z.object({
          workspace: z.object({ id: z.string(), name: z.string() }),
          user: z.object({ id: z.string(), email: z.string() }),
          role: z.enum(ROLES),
        }),
      },
    ],
    handle: async ({ body }, request, vault) => {
      const acceptance = { ...body, deviceToken: readCookie(request, 'device') };
      const { workspace, user, role: granted } = await acceptInvitation(vault, acceptance, request);
      return {
        status: 201,
        json: {
          workspace: { id: workspace.id, name: workspace.name },
          user: { id: user.id, email: user.email },
          role: granted,
        },
      };
    },
  }),
];
