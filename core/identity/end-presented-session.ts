import { endSessionAsSystem } from './end-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { findByRefreshToken } from './refresh-session.ts';

/** Ends the session that a refresh token belongs to, if there is one, whether the token was used or not. */
export async function endPresentedSession(
  parts: Pick<IdentityParts, 'store' | 'trail' | 'clock'>,
  presented: { readonly refreshToken: string; readonly client: string },
): Promise<void> {
  const found = await findByRefreshToken(parts, presented);
  if (found === undefined) return;
  await endSessionAsSystem(parts, found.session, { action: 'session.ended', detail: { by: 'its token' } });
}
