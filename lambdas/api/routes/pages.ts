import * as z from 'zod';
import { resetPassword } from '../../../core/identity/reset-password.ts';
import type { VaultError } from '../../../core/kernel/errors.ts';
import { acceptInvitation } from '../../../core/members/accept-invitation.ts';
import { clearedCookies, readCookie } from '../http/cookies.ts';
import { readFormBody } from '../http/request.ts';
import { type ApiResponse, open } from '../http/route.ts';
import { faultPage, orFormAgain } from '../pages/faults.ts';
import { invitationAcceptedPage, invitationPage, passwordSetPage, resetPage } from '../pages/link-pages.ts';
import { password } from './fields.ts';
import { readFields } from './form-fields.ts';

const link = z.object({
  token: z.string().regex(/^[\w-]{1,128}$/, 'is not complete: copy all of it from the mail'),
});

/** The pages that links in the vault's mail open. Opening one uses nothing up: mail programs do that by themselves. */
export const pageRoutes = [
  open({
    method: 'GET',
    path: '/accept-invitation',
    summary: 'The page that the link in an invitation opens',
    permission: 'public',
    unchecked: true,
    responses: [{ status: 200, description: 'A form', contentType: 'text/html' }],
    answerError: faultPage,
    handle: async (_, request) => invitationPage(readFields(link, request.query)),
  }),
  open({
    method: 'POST',
    path: '/accept-invitation',
    summary: 'Accepts an invitation, from its page',
    permission: 'public',
    unchecked: true,
    sameOrigin: true,
    responses: [{ status: 200, description: 'What to do next', contentType: 'text/html' }],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const form = readFormBody(request);
      const { token } = readFields(link, form);
      const accept = async (): Promise<ApiResponse> => {
        const given = readFields(z.object({ password }), form);
        const deviceToken = readCookie(request, 'device');
        await acceptInvitation(vault, { token, password: given.password, deviceToken }, request);
        return invitationAcceptedPage();
      };
      return orFormAgain(accept, (fault) =>
        isFinal(fault) ? faultPage(fault) : invitationPage({ token, fault }),
      );
    },
  }),
  open({
    method: 'GET',
    path: '/reset-password',
    summary: 'The page that the link to set a new password opens',
    permission: 'public',
    unchecked: true,
    responses: [{ status: 200, description: 'A form', contentType: 'text/html' }],
    answerError: faultPage,
    handle: async (_, request) => resetPage(readFields(link, request.query)),
  }),
  open({
    method: 'POST',
    path: '/reset-password',
    summary: 'Sets a new password, from its page',
    permission: 'public',
    unchecked: true,
    sameOrigin: true,
    responses: [{ status: 200, description: 'What to do next', contentType: 'text/html' }],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const form = readFormBody(request);
      const { token } = readFields(link, form);
      const set = async (): Promise<ApiResponse> => {
        const { newPassword } = readFields(z.object({ newPassword: password }), form);
        await resetPassword(vault, { token, newPassword }, request);
        return passwordSetPage(clearedCookies());
      };
      return orFormAgain(set, (fault) => (isFinal(fault) ? faultPage(fault) : resetPage({ token, fault })));
    },
  }),
];

/** Nothing that could be typed into the form would help: the link is over, or has done what it can. */
function isFinal({ code }: VaultError): boolean {
  return code !== 'invalid_request' && code !== 'login_refused' && code !== 'login_locked';
}
