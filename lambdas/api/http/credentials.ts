import type { Credentials } from '../../../core/identity/authenticate.ts';
import { csrfRefused } from '../../../core/identity/refresh-session.ts';
import { readCookie } from './cookies.ts';
import type { HttpRequest } from './request.ts';
import type { GuardedRoute } from './route.ts';

/**
 * What a request shows for itself, as far as the route takes it. A header wins over cookies, which a browser sends
 * unasked.
 */
export function readCredentials(
  request: HttpRequest,
  { bearerOnly = false, takesRefreshCookie = false }: Pick<GuardedRoute, 'bearerOnly' | 'takesRefreshCookie'>,
): Credentials {
  const header = request.header('authorization');
  if (header !== undefined) return { type: 'bearer', token: /^Bearer +(\S+)$/i.exec(header)?.[1] };
  if (bearerOnly) return { type: 'missing' };
  const accessToken = readCookie(request, 'access');
  if (accessToken !== undefined) return { type: 'cookie', accessToken };
  const refreshToken = takesRefreshCookie ? readCookie(request, 'refresh') : undefined;
  return refreshToken === undefined ? { type: 'missing' } : { type: 'refresh_cookie', refreshToken };
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request wants to change something (RFC 9110 section 9.2.1 calls the others safe). */
export function isMutation({ method }: HttpRequest): boolean {
  return !SAFE_METHODS.has(method);
}

/**
 * Refuses what a page of another origin had a browser send: by `Origin`, and by `Sec-Fetch-Site` where that is all there
 * is. Programs send neither, and have no cookies that somebody could abuse.
 *
 * @throws VaultError `csrf_refused`
 */
export function refuseOtherOrigins(request: HttpRequest, publicUrl: string): void {
  const origin = request.header('origin');
  if (origin !== undefined) {
    if (origin !== new URL(publicUrl).origin) throw csrfRefused();
    return;
  }
  const site = request.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw csrfRefused();
}
