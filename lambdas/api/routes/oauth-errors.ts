import type { VaultError } from '../../../core/kernel/errors.ts';
import { statusOf } from '../http/problem.ts';
import type { HttpRequest } from '../http/request.ts';
import type { ApiResponse } from '../http/route.ts';

type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error';

/** An error of the token and revocation endpoints (RFC 6749 section 5.2). */
export function oauthError(
  status: number,
  error: TokenError,
  description: string,
  headers: { readonly [name: string]: string } = {},
): ApiResponse {
  // The characters that RFC 6749 allows there: no quotation mark, no backslash, ASCII only.
  const error_description = description.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'");
  return { status, headers: { Pragma: 'no-cache', ...headers }, json: { error, error_description } };
}

/**
 * An unknown client, or one that wants to prove who it is: all clients are public and have nothing to prove it with. 401
 * where the client tried a scheme, as RFC 6749 section 5.2 demands, and 400 else.
 */
export function invalidClient(request: HttpRequest): ApiResponse {
  if (request.header('authorization') === undefined)
    return oauthError(400, 'invalid_client', 'client_id must name one of the clients of the vault');
  return oauthError(
    401,
    'invalid_client',
    'clients are public: send client_id, and no Authorization header',
    {
      'WWW-Authenticate': 'Basic realm="lockzero"',
    },
  );
}

/** Whatever else goes wrong, in the words of RFC 6749; for what the server has to say of itself, those of section 4.1.2.1. */
export function answerOAuthError(fault: VaultError): ApiResponse {
  const { code, message, errors = [], retryAfter } = fault;
  const status = statusOf(code);
  const headers = retryAfter === undefined ? undefined : { 'Retry-After': String(retryAfter) };
  if (code === 'unauthenticated') return oauthError(400, 'invalid_grant', message);
  if (status === 429 || status === 503)
    return oauthError(status, 'temporarily_unavailable', message, headers);
  if (status >= 500) return oauthError(status, 'server_error', message);
  const faults = errors.map(({ path, reason }) => `${path} ${reason}`).join('; ');
  return oauthError(status, 'invalid_request', faults === '' ? message : faults);
}
