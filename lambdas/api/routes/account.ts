import * as z from 'zod';
import { changePassword } from '../../../core/identity/change-password.ts';
import { confirmTotp } from '../../../core/identity/confirm-totp.ts';
import { disableTotp } from '../../../core/identity/disable-totp.ts';
import { enrollTotp } from '../../../core/identity/enroll-totp.ts';
import { listSessions } from '../../../core/identity/list-sessions.ts';
import { replaceBackupCodes } from '../../../core/identity/replace-backup-codes.ts';
import { requestPasswordReset } from '../../../core/identity/request-password-reset.ts';
import { resetPassword } from '../../../core/identity/reset-password.ts';
import { revokeAllSessions, revokeSession } from '../../../core/identity/revoke-session.ts';
import type { User } from '../../../core/identity/user.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { clearedCookies, readCookie } from '../http/cookies.ts';
import type { HttpRequest } from '../http/request.ts';
import { guarded, open } from '../http/route.ts';
import { cursor, email, limit, opaqueToken, password, sessionId, sessionParams } from './fields.ts';
import { paging } from './paging.ts';
import { knownDeviceCookie } from './session-views.ts';
import { pageOf } from './views.ts';

const backupCodesView = z.object({ backupCodes: z.array(z.string()) });

const listedSessionView = z.object({
  id: z.string(),
  workspaceId: z.string(),
  client: z.string(),
  current: z.boolean(),
  mfa: z.boolean(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
  ipAddress: z.string(),
  userAgent: z.string(),
});

/** What people do about their own account: password, second factor, sessions. */
export const accountRoutes = [
  guarded({
    method: 'POST',
    path: '/auth/password',
    summary: 'Changes the password and ends every session, this one too',
    permission: 'account:manage',
    action: 'user.password_changed',
    body: z.strictObject({ currentPassword: password, newPassword: password }),
    responses: [{ status: 204, description: 'It is changed: log in again' }],
    handle: async ({ body }, context, vault, request) => {
      const user = await changePassword(vault, context, body);
      return { status: 204, cookies: [...clearedCookies(), ...(await stillKnown(vault, user, request))] };
    },
  }),
  open({
    method: 'POST',
    path: '/auth/password/forgot',
    summary: 'Mails a link to set a new password, if there is an account with this address',
    permission: 'public',
    sameOrigin: true,
    body: z.strictObject({ email }),
    responses: [{ status: 202, description: 'If there is such an account, a mail is on its way' }],
    handle: async ({ body }, request, vault) => {
      await requestPasswordReset(vault, body, request);
      return { status: 202, json: {} };
    },
  }),
  open({
    method: 'POST',
    path: '/auth/password/reset',
    summary: 'Sets a new password with the token from the mail and ends every session; it opens none',
    permission: 'public',
    sameOrigin: true,
    body: z.strictObject({ token: opaqueToken, newPassword: password }),
    responses: [{ status: 204, description: 'It is set: log in' }],
    handle: async ({ body }, request, vault) => {
      await resetPassword(vault, body, request);
      return { status: 204, cookies: clearedCookies() };
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/mfa/totp',
    summary: 'Starts to set up an authenticator app: shows the secret, this once',
    permission: 'mfa:manage',
    action: 'user.mfa_enrollment_started',
    responses: [
      {
        status: 201,
        description: 'The secret in base32, as otpauth:// URI and as a QR code (SVG)',
        schema: z.object({ secret: z.string(), uri: z.string(), qrCode: z.string() }),
      },
    ],
    handle: async (_, context, vault) => ({ status: 201, json: await enrollTotp(vault, context) }),
  }),
  guarded({
    method: 'POST',
    path: '/auth/mfa/totp/confirm',
    summary: 'Switches MFA on with a first code, and shows the backup codes, this once',
    permission: 'mfa:manage',
    action: 'user.mfa_enabled',
    body: z.strictObject({ code: z.string().regex(/^\d{6}$/, 'must be the six digits of your app') }),
    responses: [{ status: 200, description: 'Ten backup codes', schema: backupCodesView }],
    handle: async ({ body }, context, vault, request) => {
      const { backupCodes, user } = await confirmTotp(vault, context, body);
      return { status: 200, json: { backupCodes }, cookies: await stillKnown(vault, user, request) };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/auth/mfa/totp',
    summary: 'Switches MFA off, unless a workspace of the caller demands it',
    permission: 'mfa:manage',
    action: 'user.mfa_disabled',
    responses: [{ status: 204, description: 'It is off' }],
    handle: async (_, context, vault) => {
      await disableTotp(vault, context);
      return { status: 204 };
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/mfa/backup-codes',
    summary: 'Replaces the backup codes',
    permission: 'mfa:manage',
    action: 'user.backup_codes_replaced',
    responses: [{ status: 200, description: 'Ten backup codes', schema: backupCodesView }],
    handle: async (_, context, vault) => ({ status: 200, json: await replaceBackupCodes(vault, context) }),
  }),
  guarded({
    method: 'GET',
    path: '/auth/sessions',
    summary: 'The sessions of the caller that stand, in all workspaces',
    permission: 'session:manage',
    action: 'session.listed',
    query: z.strictObject({ limit, cursor: cursor.optional() }),
    responses: [{ status: 200, description: 'A page of sessions', schema: pageOf(listedSessionView) }],
    handle: async ({ query }, context, vault) => {
      const pages = paging<string>(vault, context, 'GET /auth/sessions', query);
      const page = await listSessions(vault, context, { limit: query.limit, ...(await pages.after()) });
      const items = page.items.map(
        ({ session, lastSeenAt, isCurrent }): z.infer<typeof listedSessionView> => ({
          id: session.id,
          workspaceId: session.workspaceId,
          client: session.client,
          current: isCurrent,
          mfa: session.mfa,
          createdAt: session.createdAt,
          lastSeenAt,
          expiresAt: timestamp(session.expiresAt),
          ipAddress: session.ip,
          userAgent: session.userAgent,
        }),
      );
      return { status: 200, json: { items, nextCursor: await pages.nextCursor(page.next) } };
    },
  }),
  guarded({
    method: 'DELETE',
    path: '/auth/sessions/{id}',
    summary: 'Ends one of the sessions of the caller',
    permission: 'session:manage',
    action: 'session.ended',
    params: sessionParams,
    responses: [{ status: 204, description: 'It is over' }],
    handle: async ({ params }, context, vault) => {
      await revokeSession(vault, context, sessionId(params));
      return { status: 204 };
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/sessions/revoke-all',
    summary: 'Ends every session of the caller, this one too',
    permission: 'session:manage',
    action: 'session.all_revoked',
    responses: [{ status: 204, description: 'They are over' }],
    handle: async (_, context, vault) => {
      await revokeAllSessions(vault, context);
      return { status: 204, cookies: clearedCookies() };
    },
  }),
];

/** The browser in which somebody has just proven who they are stays known, although their epoch has moved on. */
async function stillKnown(vault: Vault, user: User, request: HttpRequest): Promise<string[]> {
  const isBrowser = readCookie(request, 'device') !== undefined;
  return isBrowser ? [await knownDeviceCookie(vault, user, request)] : [];
}
