import { RefusedChanges } from '../audit/append.ts';
import { isInUse, readSessionState, sessionRefusal } from '../identity/authenticate-session.ts';
import type { Caller } from '../identity/caller.ts';
import { endFamily } from '../identity/end-family.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { isOpaqueToken, opaqueTokenId } from '../identity/opaque-token.ts';
import { type OpenedSession, openSession } from '../identity/open-session.ts';
import { placesOf } from '../identity/person.ts';
import { recordFailedAuthentication } from '../identity/record-failed-authentication.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { sessionKind } from '../identity/session.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { type AuthorizationCode, authorizationCodeKind } from './authorization-code.ts';
import { isVerifierOf } from './pkce.ts';

type Parts = Pick<
  IdentityParts,
  'store' | 'trail' | 'clock' | 'random' | 'bookkeeping' | 'derivedKeys' | 'signer' | 'publicUrl'
>;

export interface Redemption {
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeVerifier: string;
}

/**
 * Opens a session for a client with the code that a person granted it (RFC 6749 section 4.1.3, RFC 7636 section 4.6). It
 * has shown what the granting session has shown, and lasts no longer than that one would have.
 *
 * A code works once. When it comes again somebody else has a copy, so the session that came of it ends (RFC 9700
 * section 4.2.1), also when both come at once: whoever loses ends what the winner got.
 *
 * @throws VaultError `unauthenticated`, one answer for all that is wrong with a code; `rate_limited`.
 */
export async function redeemCode(
  parts: Parts,
  redemption: Redemption,
  caller: Caller,
): Promise<OpenedSession> {
  const id = opaqueTokenId('authorizationCode', redemption.code);
  // Not by client as well: everybody's clients have the same id, and would use up each other's requests.
  await limitRequests(parts, 'token', caller.ip, id);
  const code = isOpaqueToken('authorizationCode', redemption.code)
    ? await parts.store.find(authorizationCodeKind, id)
    : undefined;
  if (code === undefined || code.clientId !== redemption.clientId)
    throw await refused(parts, undefined, 'code_unknown', caller);
  if (code.sessionId !== undefined) throw await reused(parts, code, caller);

  const now = parts.clock.now();
  const { userId, workspaceId } = code;
  const state = await readSessionState(parts.store, {
    sessionId: code.grantedBy,
    userId,
    workspaceId,
    loginId: code.loginId,
    familyId: code.loginId,
  });
  const granting = { userId, workspaceId };
  const refusal =
    mismatch(code, redemption, now) ??
    sessionRefusal(state, granting, now) ??
    ((await isInUse(parts, code.grantedBy, now)) ? undefined : 'session_idle');
  const { user, session } = state;
  const places = user === undefined ? [] : await placesOf(parts.store, user);
  const place = places.find(({ workspace }) => workspace.id === workspaceId);
  if (refusal !== undefined || user === undefined || session === undefined || place === undefined)
    throw await refused(parts, code, refusal ?? 'not_a_member', caller);

  try {
    return await openSession(
      parts,
      {
        user,
        place,
        client: code.clientId,
        mfa: session.mfa,
        places,
        mustChangePassword: session.mustChangePassword,
        from: session,
        event: {
          action: 'authentication.succeeded',
          detail: { method: 'oauth', client: code.clientId },
        },
        changes: ({ id: sessionId, expiresAt }) => [
          update(authorizationCodeKind, code, { sessionId, expiresAt }),
        ],
      },
      caller,
    );
  } catch (error) {
    if (!(error instanceof RefusedChanges)) throw error;
    const used = await parts.store.find(authorizationCodeKind, id);
    throw await reused(parts, used ?? code, caller);
  }
}

function mismatch(
  { redirectUri, codeChallenge, validUntil }: AuthorizationCode,
  redemption: Redemption,
  now: number,
): string | undefined {
  if (redemption.redirectUri !== redirectUri) return 'code_redirect_uri';
  if (!isVerifierOf(codeChallenge, redemption.codeVerifier)) return 'code_verifier';
  return validUntil <= now ? 'code_expired' : undefined;
}

/** What to throw for a code that was used before; ends what came of it. */
async function reused(parts: Parts, code: AuthorizationCode, caller: Caller): Promise<VaultError> {
  const session = code.sessionId && (await parts.store.find(sessionKind, code.sessionId));
  if (session) {
    await endFamily(parts, session, session.familyId, {
      action: 'oauth.code_reused',
      detail: { client: code.clientId, sourceIp: caller.ip },
    });
  }
  return refused(parts, code, 'code_used', caller);
}

async function refused(
  parts: Parts,
  code: AuthorizationCode | undefined,
  reason: string,
  caller: Caller,
): Promise<VaultError> {
  const subject = code && { workspaceId: code.workspaceId, type: 'user' as const, id: code.userId };
  await recordFailedAuthentication(parts, { ...caller, subject, reason });
  return new VaultError(
    'unauthenticated',
    'The code is unknown, used or over, or is not for this client, redirect_uri or code_verifier. Start again.',
  );
}
