import type { CheckedRequest, RefusedRequest } from '../../../core/oauth/authorization-request.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import type { ApiResponse } from '../http/route.ts';
import { html } from '../pages/html.ts';
import { pageResponse, seeOther } from '../pages/page.ts';

/** Sends the browser back to the client with an answer, which names who gives it (RFC 9207). */
export function sendBack(
  { publicUrl }: Vault,
  { redirectUri, state }: Pick<RefusedRequest, 'redirectUri' | 'state'>,
  answer: { readonly [name: string]: string },
): ApiResponse {
  const fields = { ...answer, ...(state === undefined ? {} : { state }), iss: publicUrl };
  // As a form is encoded (RFC 6749 appendix B).
  return seeOther(`${redirectUri}?${new URLSearchParams(fields).toString()}`);
}

/** What is wrong with a request goes to its client; unless that is not known, then the browser stays here. */
export function answerRefused(
  vault: Vault,
  checked: Exclude<CheckedRequest, { readonly status: 'valid' }>,
): ApiResponse {
  if (checked.status === 'refused') {
    const { error, description } = checked.refused;
    return sendBack(vault, checked.refused, { error, error_description: description });
  }
  return pageResponse({
    status: 400,
    title: 'This is not a request of a known program',
    body: html`<p>It names no program that the vault knows, or wants the answer sent to an address that is not the program's own. Nothing was done. Start again from the program, and do not follow links to this page.</p>`,
  });
}
