import type { VaultError } from '../../../core/kernel/errors.ts';
import { statusOf } from '../http/problem.ts';
import type { ApiResponse } from '../http/route.ts';
import { SYSTEM_NOTICE } from '../system-notice.ts';
import { faultNotice } from './faults.ts';
import { html } from './html.ts';
import { hiddenFields } from './login-pages.ts';
import { pageResponse } from './page.ts';

interface Link {
  readonly token: string;
  /** Why the form is shown once more. */
  readonly fault?: VaultError;
}

/** What the link in an invitation opens. Nothing is looked up for it, and nothing used up. */
export function invitationPage({ token, fault }: Link): ApiResponse {
  return pageResponse({
    status: fault === undefined ? 200 : statusOf(fault.code),
    title: 'Accept the invitation',
    retryAfter: fault?.retryAfter,
    body: html`${faultNotice(fault)}
<p>If you have a Lockzero account with the address that the invitation was sent to, give its password. Otherwise choose one.</p>
<form method="post" action="accept-invitation">
${hiddenFields([['token', token]])}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required>
<button>Accept</button>
</form>
<small>${SYSTEM_NOTICE}</small>`,
  });
}

export function invitationAcceptedPage(): ApiResponse {
  return pageResponse({
    status: 200,
    title: 'You are a member now',
    body: html`<p>Log in with your address and this password, from the program that you use Lockzero with.</p>`,
  });
}

/** What the link to set a new password opens. Nothing is looked up for it, and nothing used up. */
export function resetPage({ token, fault }: Link): ApiResponse {
  return pageResponse({
    status: fault === undefined ? 200 : statusOf(fault.code),
    title: 'Set a new password',
    retryAfter: fault?.retryAfter,
    body: html`${faultNotice(fault)}
<form method="post" action="reset-password">
${hiddenFields([['token', token]])}
<label for="newPassword">New password</label>
<input id="newPassword" name="newPassword" type="password" autocomplete="new-password" required>
<button>Set it</button>
</form>
<small>${SYSTEM_NOTICE}</small>`,
  });
}

/** @param cookies takes the session away from this browser, as it has ended everywhere. */
export function passwordSetPage(cookies: readonly string[]): ApiResponse {
  return pageResponse({
    status: 200,
    title: 'Your password is set',
    body: html`<p>You were logged out everywhere. Log in with the new password.</p>`,
    cookies,
  });
}
