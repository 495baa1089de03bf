import type { VaultError } from '../../../core/kernel/errors.ts';
import { statusOf, toVaultError } from '../http/problem.ts';
import type { ApiResponse } from '../http/route.ts';
import { type Html, html } from './html.ts';
import { pageResponse } from './page.ts';

/** What a form's fields are called for people. */
const LABELS: { readonly [field: string]: string } = {
  email: 'The e-mail address',
  password: 'The password',
  newPassword: 'The new password',
  code: 'The code',
  token: 'The link',
};

/** What went wrong, above the form that it concerns. */
export function faultNotice(fault: VaultError | undefined): Html | undefined {
  return (
    fault && html`<div role="alert">${sentences(fault).map((sentence) => html`<p>${sentence}</p>`)}</div>`
  );
}

function sentences({ code, message, errors = [] }: VaultError): readonly string[] {
  // The API's own words for this one speak of headers.
  if (code === 'csrf_refused')
    return [
      'This form belongs to another session, or did not come from the vault itself. Open the page anew.',
    ];
  if (errors.length === 0) return [message];
  return errors.map(({ path, reason }) => `${LABELS[path] ?? path} ${reason}.`);
}

/** The answer where there is no form to go back to. */
export function faultPage(fault: VaultError): ApiResponse {
  return pageResponse({
    status: statusOf(fault.code),
    title: 'This did not work',
    body: html`${faultNotice(fault)}`,
    retryAfter: fault.retryAfter,
  });
}

/**
 * Shows a form once more when what was typed into it is refused. Other faults go on: who sends too much is recorded, and
 * what fails on our side is logged.
 */
export async function orFormAgain(
  work: () => Promise<ApiResponse>,
  form: (fault: VaultError) => ApiResponse,
): Promise<ApiResponse> {
  try {
    return await work();
  } catch (thrown) {
    const fault = toVaultError(thrown);
    if (statusOf(fault.code) >= 500 || fault.code === 'rate_limited') throw thrown;
    return form(fault);
  }
}
