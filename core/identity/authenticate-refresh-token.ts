import type { UserPrincipal } from '../access/principal.ts';
import type { Authenticated } from './authenticate.ts';
import { isInUse, principalIn, type SessionParts, sessionRefusal } from './authenticate-session.ts';
import { findByRefreshToken } from './refresh-session.ts';
import { BROWSER } from './session.ts';

/**
 * Who holds the refresh token of a browser, without using it up: a page that was just loaded, whose access token has
 * expired, has to learn its session's CSRF token before it may refresh. Good for looking at the session, nothing else.
 */
export async function authenticateRefreshToken(
  parts: SessionParts,
  refreshToken: string,
): Promise<Authenticated<UserPrincipal>> {
  const found = await findByRefreshToken(parts, { refreshToken, client: BROWSER });
  if (found === undefined) return { refusal: 'refresh_token_unknown' };
  const { token, session, state } = found;
  const now = parts.clock.now();
  const refusal =
    sessionRefusal(state, session, now) ??
    (token.id === session.refreshTokenId ? undefined : 'refresh_token_used') ??
    ((await isInUse(parts, session.id, now)) ? undefined : 'session_idle');
  const principal = principalIn(state, now);
  if (refusal === undefined && principal !== undefined)
    return { principal: { ...principal, steppedUp: false } };
  const subject = { workspaceId: session.workspaceId, type: 'user', id: session.userId } as const;
  return { refusal: refusal ?? 'session_unknown', subject };
}
