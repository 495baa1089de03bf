import type { UserPrincipal } from '../../../core/access/principal.ts';
import type { SessionDescription } from '../../../core/identity/describe-session.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { type AuthorizationRequest, requestFields } from '../../../core/oauth/authorization-request.ts';
import type { ApiResponse } from '../http/route.ts';
import { type Html, html } from './html.ts';
import { hiddenFields } from './login-pages.ts';
import { pageResponse } from './page.ts';

/**
 * Asks a person whether a client may act for them. It is asked each time, and nothing remembers the answer. Whoever owes
 * something gets to know what, and can only refuse or log out.
 */
export function consentPage(
  request: AuthorizationRequest,
  { user, session, place, owes }: SessionDescription,
  csrfToken: string,
): ApiResponse {
  const { client, redirectUri } = request;
  return pageResponse({
    status: 200,
    title: `Let ${client.name} act for you?`,
    leadsTo: sourceOf(redirectUri),
    body: html`${owes && html`<p role="alert">${DEBTS[owes]}</p>`}
<dl>
<dt>Program</dt><dd>${client.name} (${client.id})</dd>
<dt>You are logged in as</dt><dd>${user.email}</dd>
<dt>Workspace</dt><dd>${place.workspace.name}, where you are ${place.membership.role}</dd>
<dt>It may do</dt><dd>Everything that you may do there. Revealing a secret asks for your password again.</dd>
<dt>Until</dt><dd>${minuteOf(session.expiresAt)}, or until it is not used for 30 minutes, or you end it</dd>
<dt>Then you go back to</dt><dd>${new URL(redirectUri).host}, on this computer</dd>
</dl>
<p>Allow it only if you have just started this program yourself.</p>
<form method="post" action="authorize">
${hiddenFields([...requestFields(request), ['csrf_token', csrfToken]])}
${owes === undefined ? decision('allow', 'Allow') : undefined}
${decision('deny', 'Refuse')}
${decision('sign_out', 'Log out')}
</form>`,
  });
}

function decision(value: string, label: string): Html {
  return html`<button name="decision" value="${value}">${label}</button>`;
}

/** What has to be done first. */
const DEBTS: Record<NonNullable<UserPrincipal['owes']>, string> = {
  mfa_enrollment:
    'A workspace of yours demands a second factor, and you have none yet. Set one up first, with POST /auth/step-up and POST /auth/mfa/totp of the API. Then come back here.',
  password_change:
    'Your password does not satisfy the policy any more. Change it first, with POST /auth/password of the API, or ask for a link by mail with POST /auth/password/forgot. Then log in here anew.',
};

/**
 * The client's address as a policy names it: by its origin. An IPv6 address has no form there (CSP Level 3 section
 * 6.7.2.8 matches no IP address but 127.0.0.1), so any host has to do, with the port.
 */
function sourceOf(redirectUri: string): string {
  const { origin, hostname, port } = new URL(redirectUri);
  return hostname === '[::1]' ? `http://*:${port === '' ? '80' : port}` : origin;
}

/** UTC, to the minute. */
function minuteOf(milliseconds: number): string {
  return `${timestamp(milliseconds).slice(0, 16).replace('T', ' ')} UTC`;
}
