import { type Change, create, update } from '../kernel/entity.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import { newOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { type RefreshToken, refreshTokenKind, type Session, sessionKind } from './session.ts';

/**
 * The next refresh token of a session, and the changes that make it the one that is good: of two requests that want to
 * replace the same one, the session's revision lets only one through.
 */
export function rotateRefreshToken(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  session: Session,
  token: RefreshToken | undefined,
  patch: Partial<Pick<Session, 'demandsMfa' | 'generation' | 'steppedUpAt'>>,
): { readonly session: Session; readonly refreshToken: string; readonly changes: readonly Change[] } {
  const refreshToken = newOpaqueToken('refreshToken', random);
  const id = opaqueTokenId('refreshToken', refreshToken);
  const { workspaceId, userId, loginId, familyId, expiresAt } = session;
  const next = update(sessionKind, session, { ...patch, refreshTokenId: id });
  const made = create(refreshTokenKind, {
    workspaceId,
    id,
    sessionId: session.id,
    userId,
    loginId,
    familyId,
    expiresAt,
  });
  const used = token === undefined ? [] : [update(refreshTokenKind, token, { usedAt: clock.now() })];
  return { session: next.entity, refreshToken, changes: [next, made, ...used] };
}
