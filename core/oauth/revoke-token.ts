import { checkAccessToken } from '../identity/access-token.ts';
import type { Caller } from '../identity/caller.ts';
import { endSessionAsSystem } from '../identity/end-session.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { opaqueTokenId } from '../identity/opaque-token.ts';
import { findByRefreshToken } from '../identity/refresh-session.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { type Session, sessionKind } from '../identity/session.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'bookkeeping' | 'signer' | 'publicUrl'>;

/**
 * Ends the session of a client's refresh or access token: all its tokens are dead with the next request (RFC 7009
 * section 2.1). What is no token, or one of another client, is as good as revoked already (section 2.2).
 *
 * @throws VaultError `rate_limited`
 */
export async function revokeToken(
  parts: Parts,
  { token, clientId }: { readonly token: string; readonly clientId: string },
  caller: Caller,
): Promise<void> {
  await limitRequests(parts, 'token', caller.ip, opaqueTokenId('refreshToken', token));
  const session =
    (await sessionOfRefreshToken(parts, token, clientId)) ?? (await sessionOfAccessToken(parts, token));
  if (session?.client !== clientId) return;
  await endSessionAsSystem(parts, session, {
    action: 'oauth.token_revoked',
    detail: { client: clientId, sourceIp: caller.ip },
  });
}

async function sessionOfRefreshToken(
  parts: Parts,
  refreshToken: string,
  client: string,
): Promise<Session | undefined> {
  return (await findByRefreshToken(parts, { refreshToken, client }))?.session;
}

/** Only a token that still opens something ends anything. */
async function sessionOfAccessToken(parts: Parts, token: string): Promise<Session | undefined> {
  const checked = await checkAccessToken(parts, token);
  if (checked.status !== 'valid') return undefined;
  const session = await parts.store.find(sessionKind, checked.claims.sessionId);
  return session?.generation === checked.claims.generation ? session : undefined;
}
