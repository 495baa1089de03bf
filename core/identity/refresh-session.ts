import { RefusedChanges } from '../audit/append.ts';
import { VaultError } from '../kernel/errors.ts';
import { issueAccessToken } from './access-token.ts';
import { isInUse, readSessionState, type SessionState, sessionRefusal } from './authenticate-session.ts';
import type { Caller } from './caller.ts';
import { csrfToken, isCsrfToken } from './csrf.ts';
import { describeSession } from './describe-session.ts';
import { endFamily } from './end-family.ts';
import type { IdentityParts } from './identity-parts.ts';
import { isOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import type { OpenedSession } from './open-session.ts';
import { demandsMfa, personOrigin, placesOf } from './person.ts';
import { recordFailedAuthentication } from './record-failed-authentication.ts';
import { limitRequests } from './request-limits.ts';
import { rotateRefreshToken } from './rotate-refresh-token.ts';
import { REUSE_GRACE_MS, type RefreshToken, refreshTokenKind, type Session } from './session.ts';
import type { User } from './user.ts';

type Parts = Pick<
  IdentityParts,
  'store' | 'trail' | 'clock' | 'random' | 'bookkeeping' | 'derivedKeys' | 'signer' | 'publicUrl'
>;

export interface Refresh {
  readonly refreshToken: string;
  /** The client that shows it: a token of another one is unknown. */
  readonly client: string;
  /** From browsers: what came as `X-CSRF-Token`, which must be the session's. */
  readonly csrf?: { readonly token: string | undefined };
}

export interface RefreshedSession {
  readonly opened: OpenedSession;
  readonly user: User;
}

/**
 * Exchanges a refresh token for the next one and a fresh access token (RFC 9700 section 4.14.2). Each is good once. One
 * that comes again within ten seconds merely fails: two tabs, or an answer that was lost. Later, somebody else has a
 * copy, and the session ends.
 *
 * Refreshing is no use of the session: it fails once nothing was asked for half an hour, and does not prolong that.
 *
 * @throws VaultError `unauthenticated`; `csrf_refused`; `rate_limited`.
 */
export async function refreshSession(
  parts: Parts,
  refresh: Refresh,
  caller: Caller,
): Promise<RefreshedSession> {
  const id = opaqueTokenId('refreshToken', refresh.refreshToken);
  await limitRequests(parts, 'token', caller.ip, id);
  const found = await findByRefreshToken(parts, refresh);
  if (found === undefined) throw await refused(parts, undefined, 'refresh_token_unknown', caller);
  const { token, session, state } = found;
  if (refresh.csrf !== undefined && !(await isCsrfToken(parts.derivedKeys, session.id, refresh.csrf.token))) {
    throw await refused(parts, session, 'csrf', caller);
  }
  const now = parts.clock.now();
  const refusal = sessionRefusal(state, session, now);
  const { user } = state;
  // Also where the session has ended: whoever has a copy may have moved on to another one of its family.
  const mayLiveOn = user?.epoch === session.epoch && !state.isLoginEnded;
  if (token.id !== session.refreshTokenId && mayLiveOn) throw await reused(parts, found, now, caller);
  if (refusal !== undefined || user === undefined)
    throw await refused(parts, session, refusal ?? 'session_unknown', caller);
  if (!(await isInUse(parts, session.id, now))) throw await refused(parts, session, 'session_idle', caller);

  const places = await placesOf(parts.store, user);
  const rotated = rotateRefreshToken(parts, session, token, { demandsMfa: demandsMfa(places) });
  const lastSeen = (await parts.bookkeeping.sessionsSeen([session.id])).get(session.id) ?? now;
  const description = describeSession(rotated.session, { user, places, lastSeen }, now);
  const [accessToken, csrf] = await Promise.all([
    issueAccessToken(parts, rotated.session),
    csrfToken(parts.derivedKeys, session.id),
  ]);
  try {
    await parts.trail.commit(personOrigin(session.workspaceId, session.userId, caller), [
      {
        action: 'session.refreshed',
        entity: { type: 'session', id: session.id },
        result: 'success',
        changes: rotated.changes,
      },
    ]);
  } catch (error) {
    // The same token won in another request just now.
    if (error instanceof RefusedChanges) throw await refused(parts, session, 'refresh_token_used', caller);
    throw error;
  }
  const { refreshToken } = rotated;
  return {
    opened: { session: rotated.session, description, accessToken, refreshToken, csrfToken: csrf },
    user,
  };
}

interface FoundSession {
  readonly token: RefreshToken;
  readonly session: Session;
  readonly state: SessionState;
}

/** The session that a refresh token belongs to, whether it stands or not. */
export async function findByRefreshToken(
  { store }: Pick<Parts, 'store'>,
  { refreshToken, client }: Pick<Refresh, 'refreshToken' | 'client'>,
): Promise<FoundSession | undefined> {
  if (!isOpaqueToken('refreshToken', refreshToken)) return undefined;
  const token = await store.find(refreshTokenKind, opaqueTokenId('refreshToken', refreshToken));
  if (token === undefined) return undefined;
  const state = await readSessionState(store, token);
  const { session } = state;
  return session === undefined || session.client !== client ? undefined : { token, session, state };
}

/** What to throw for a token that was used before; after the grace, its session is over too. */
async function reused(
  parts: Parts,
  { token, session }: FoundSession,
  now: number,
  caller: Caller,
): Promise<VaultError> {
  // On a server whose clock is behind, the grace is longer: a false alarm there would end sessions that race honestly.
  // It may have been used between the readings of the token and of the session.
  const usedAt = token.usedAt ?? (await parts.store.find(refreshTokenKind, token.id))?.usedAt;
  const isRecent = usedAt !== undefined && now - usedAt <= REUSE_GRACE_MS;
  if (!isRecent) {
    await endFamily(parts, session, session.familyId, {
      action: 'session.reuse_detected',
      detail: { sourceIp: caller.ip },
    });
  }
  return refused(parts, session, isRecent ? 'refresh_token_used' : 'refresh_token_reused', caller);
}

async function refused(
  parts: Parts,
  session: Session | undefined,
  reason: string,
  caller: Caller,
): Promise<VaultError> {
  const subject = session && { workspaceId: session.workspaceId, type: 'user' as const, id: session.userId };
  await recordFailedAuthentication(parts, { ...caller, subject, reason });
  return reason === 'csrf'
    ? csrfRefused()
    : new VaultError('unauthenticated', 'This session is over, or its refresh token was used. Log in again.');
}

export function csrfRefused(): VaultError {
  return new VaultError(
    'csrf_refused',
    'Send the "csrfToken" of your session as X-CSRF-Token, from the address of the vault itself.',
  );
}
