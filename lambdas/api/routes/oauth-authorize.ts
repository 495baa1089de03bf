import type { RequestContext } from '../../../core/access/principal.ts';
import { csrfToken } from '../../../core/identity/csrf.ts';
import { logOut } from '../../../core/identity/revoke-session.ts';
import { invalid } from '../../../core/kernel/errors.ts';
import {
  type AuthorizationRequest,
  checkAuthorizationRequest,
} from '../../../core/oauth/authorization-request.ts';
import { denyAuthorization, grantAuthorization } from '../../../core/oauth/decide-authorization.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { logFault } from '../http/answer-errors.ts';
import { clearedCookies } from '../http/cookies.ts';
import { toVaultError } from '../http/problem.ts';
import { readFormBody } from '../http/request.ts';
import { type ApiResponse, open } from '../http/route.ts';
import { consentPage } from '../pages/consent-page.ts';
import { faultPage } from '../pages/faults.ts';
import { authorizePath, loginPage } from '../pages/login-pages.ts';
import { seeOther } from '../pages/page.ts';
import { answerRefused, sendBack } from './oauth-redirects.ts';
import { lookAtSession, proveSession, recorded } from './oauth-session.ts';

/** Where a person lets a program act for them, or not. Only cookies count here: this is for people at a browser. */
export const oauthAuthorizeRoutes = [
  open({
    method: 'GET',
    path: '/oauth/authorize',
    summary: 'Asks a person at a browser whether a client may act for them (RFC 6749, 7636, 9207)',
    permission: 'public',
    unchecked: true,
    responses: [{ status: 200, description: 'The page that asks, or the login', contentType: 'text/html' }],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const checked = checkAuthorizationRequest(request.query);
      if (checked.status !== 'valid') return answerRefused(vault, checked);
      const session = await lookAtSession(vault, request);
      if (session === undefined) return loginPage({ request: checked.request });
      return consentPage(checked.request, session, await csrfToken(vault.derivedKeys, session.session.id));
    },
  }),
  open({
    method: 'POST',
    path: '/oauth/authorize',
    summary: 'What the person has decided, from the page that asked',
    permission: 'public',
    unchecked: true,
    sameOrigin: true,
    responses: [{ status: 303, description: 'Back to the client, or to the login' }],
    answerError: faultPage,
    handle: async (_, request, vault) => {
      const form = readFormBody(request);
      const checked = checkAuthorizationRequest(form);
      if (checked.status !== 'valid') return answerRefused(vault, checked);
      const proven = await proveSession(vault, request, form['csrf_token']?.[0]);
      if (proven === undefined) return seeOther(authorizePath(checked.request));
      const { context, cookies } = proven;
      const decision = form['decision']?.[0];
      const work = () => decide(vault, context, checked.request, decision);
      // A refreshed session's cookies have to reach the browser whatever else happens: it holds the used ones.
      const answer = await recorded(vault, context, 'oauth.authorized', work).catch((thrown) => {
        const fault = toVaultError(thrown);
        logFault(fault, request.id);
        return faultPage(fault);
      });
      return cookies === undefined ? answer : { ...answer, cookies: [...cookies, ...(answer.cookies ?? [])] };
    },
  }),
];

async function decide(
  vault: Vault,
  context: RequestContext,
  request: AuthorizationRequest,
  decision: string | undefined,
): Promise<ApiResponse> {
  switch (decision) {
    case 'allow':
      return sendBack(vault, request, { code: await grantAuthorization(vault, context, request) });
    case 'deny': {
      await denyAuthorization(vault, context, request);
      const description = 'the person refused';
      return sendBack(vault, request, { error: 'access_denied', error_description: description });
    }
    case 'sign_out':
      await logOut(vault, context);
      return seeOther(authorizePath(request), clearedCookies());
    default:
      throw invalid('decision', 'must be allow, deny or sign_out');
  }
}
