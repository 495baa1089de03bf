import * as z from 'zod';
import { completeMfa } from '../../../core/identity/complete-mfa.ts';
import { endPresentedSession } from '../../../core/identity/end-presented-session.ts';
import { logIn } from '../../../core/identity/log-in.ts';
import type { OpenedSession } from '../../../core/identity/open-session.ts';
import { BROWSER } from '../../../core/identity/session.ts';
import {
  type AuthorizationRequest,
  checkAuthorizationRequest,
} from '../../../core/oauth/authorization-request.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { readCookie } from '../http/cookies.ts';
import { type HttpRequest, readFormBody } from '../http/request.ts';
import { type ApiResponse, open } from '../http/route.ts';
import { faultPage, orFormAgain } from '../pages/faults.ts';
import { authorizePath, loginPage, mfaPage } from '../pages/login-pages.ts';
import { seeOther } from '../pages/page.ts';
import { email, opaqueToken, password } from './fields.ts';
import { readFields } from './form-fields.ts';
import { answerRefused } from './oauth-redirects.ts';
import { sessionResponse } from './session-views.ts';

const passwordForm = z.object({ email, password });

const codeForm = z.object({
  mfa_token: opaqueToken,
  code: z.string().trim().min(1, 'must not be empty').max(32, 'is too long to be one'),
});

/** The login on the way to a client: the steps of `POST /auth/login` and `POST /auth/mfa`, as forms. */
export const oauthLoginRoutes = [
  open({
    method: 'POST',
    path: '/oauth/login',
    summary: 'The first step of the login, from its page',
    permission: 'public',
    unchecked: true,
    sameOrigin: true,
    responses: [
      { status: 200, description: 'The page for the second factor', contentType: 'text/html' },
      { status: 303, description: 'To the page that asks' },
    ],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const form = readFormBody(request);
      const checked = checkAuthorizationRequest(form);
      if (checked.status !== 'valid') return answerRefused(vault, checked);
      const step = async (): Promise<ApiResponse> => {
        const login = readFields(passwordForm, form);
        const deviceToken = readCookie(request, 'device');
        const result = await logIn(vault, { ...login, deviceToken, client: BROWSER }, request);
        if (result.status === 'mfa_required')
          return mfaPage({ request: checked.request, mfaToken: result.mfaToken });
        return goOn(vault, request, checked.request, result);
      };
      const typed = form['email']?.[0] ?? '';
      return orFormAgain(step, (fault) => loginPage({ request: checked.request, fault, email: typed }));
    },
  }),
  open({
    method: 'POST',
    path: '/oauth/mfa',
    summary: 'The second step of the login, from its page',
    permission: 'public',
    unchecked: true,
    sameOrigin: true,
    responses: [{ status: 303, description: 'To the page that asks' }],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const form = readFormBody(request);
      const checked = checkAuthorizationRequest(form);
      if (checked.status !== 'valid') return answerRefused(vault, checked);
      const step = async (): Promise<ApiResponse> => {
        const { mfa_token: mfaToken, code } = readFields(codeForm, form);
        const factor = /^\d{6}$/.test(code) ? { code } : { backupCode: code };
        const deviceToken = readCookie(request, 'device');
        const done = await completeMfa(vault, { mfaToken, factor, deviceToken, client: BROWSER }, request);
        return goOn(vault, request, checked.request, done);
      };
      const mfaToken = form['mfa_token']?.[0] ?? '';
      return orFormAgain(step, (fault) => mfaPage({ request: checked.request, fault, mfaToken }));
    },
  }),
];

/** The login is complete: whoever was logged in here before is not left behind, and the page asks. */
async function goOn(
  vault: Vault,
  request: HttpRequest,
  authorization: AuthorizationRequest,
  { opened }: { readonly opened: OpenedSession },
): Promise<ApiResponse> {
  const refreshToken = readCookie(request, 'refresh');
  if (refreshToken !== undefined) await endPresentedSession(vault, { refreshToken, client: BROWSER });
  const { cookies } = await sessionResponse(vault, opened, { knows: request });
  return seeOther(authorizePath(authorization), cookies);
}
