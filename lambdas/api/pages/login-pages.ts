import type { VaultError } from '../../../core/kernel/errors.ts';
import { type AuthorizationRequest, requestFields } from '../../../core/oauth/authorization-request.ts';
import { statusOf } from '../http/problem.ts';
import type { ApiResponse } from '../http/route.ts';
import { SYSTEM_NOTICE } from '../system-notice.ts';
import { faultNotice } from './faults.ts';
import { type Html, html } from './html.ts';
import { pageResponse } from './page.ts';

interface Shown {
  readonly request: AuthorizationRequest;
  /** Why the form is shown once more. */
  readonly fault?: VaultError;
}

/** The first step of a login on the way to a client. */
export function loginPage({ request, fault, email }: Shown & { readonly email?: string }): ApiResponse {
  return pageResponse({
    status: fault === undefined ? 200 : statusOf(fault.code),
    title: 'Log in',
    retryAfter: fault?.retryAfter,
    body: html`<p>${request.client.name} asks to act for you. Log in to decide.</p>
${faultNotice(fault)}
<form method="post" action="login">
${hiddenFields(requestFields(request))}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${email}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
<small>${SYSTEM_NOTICE}</small>`,
  });
}

/** The second step. One field takes the code of an app and a backup code. */
export function mfaPage({ request, fault, mfaToken }: Shown & { readonly mfaToken: string }): ApiResponse {
  return pageResponse({
    status: fault === undefined ? 200 : statusOf(fault.code),
    title: 'Second factor',
    retryAfter: fault?.retryAfter,
    body: html`${faultNotice(fault)}
<form method="post" action="mfa">
${hiddenFields([...requestFields(request), ['mfa_token', mfaToken]])}
<label for="code">The code of your authenticator app, or a backup code</label>
<input id="code" name="code" type="text" autocomplete="one-time-code" required>
<button>Go on</button>
</form>
<p><a href="${authorizePath(request)}">Begin the login anew</a></p>
<small>${SYSTEM_NOTICE}</small>`,
  });
}

export function hiddenFields(fields: readonly (readonly [name: string, value: string])[]): readonly Html[] {
  return fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}

/**
 * The page that asks, with the same request. Relative to its neighbours, like all links between pages: without a domain
 * of its own, the vault is served below a path.
 */
export function authorizePath(request: AuthorizationRequest): string {
  return `authorize?${new URLSearchParams(Object.fromEntries(requestFields(request))).toString()}`;
}
