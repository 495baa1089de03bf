import { originOf, type RequestContext, type UserPrincipal } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { VaultError } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { issueAccessToken } from './access-token.ts';
import { callerOf } from './caller.ts';
import { csrfToken } from './csrf.ts';
import { describeSession } from './describe-session.ts';
import { codeRefused } from './fail-login.ts';
import { bookAttempt, sessionAttemptKey } from './guard-attempts.ts';
import type { IdentityParts } from './identity-parts.ts';
import type { OpenedSession } from './open-session.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { demandsMfa, placesOf } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { rotateRefreshToken } from './rotate-refresh-token.ts';
import { type PresentedFactor, useSecondFactor } from './second-factor.ts';
import { refreshTokenKind } from './session.ts';
import type { User } from './user.ts';

export type Proof = { readonly password: string } | PresentedFactor;

/**
 * Proves once more who is at work in a session; good for five minutes. The tokens that the session had are dead after
 * it: a copy somebody took earlier does not rise with it (OWASP ASVS 5.0, V7.2.4).
 *
 * Wrong proofs are counted like failed logins, for this login alone: whoever stole it cannot lock its owner out.
 *
 * @throws VaultError `login_refused` or `code_refused`; `login_locked`; `rate_limited`.
 */
export async function stepUp(
  parts: IdentityParts,
  context: RequestContext,
  proof: Proof,
): Promise<{ readonly opened: OpenedSession; readonly user: User }> {
  const principal = authorizePerson(context.principal, 'session:manage');
  const { user, session: current } = await readOwn(parts.store, principal);
  await limitRequests(parts, 'step_up', context.ip, current.loginId);
  const attempt = await bookAttempt(parts, sessionAttemptKey(user, current));
  if (!(await attempt.whileUndecided(isRight(parts, context, user, proof)))) {
    throw 'password' in proof ? new VaultError('login_refused', 'The password is wrong.') : codeRefused();
  }
  await attempt.clear();

  const opened = await retryRefused(() => elevate(parts, context, principal, methodOf(proof)));
  return { opened, user };
}

/** Notes the proof in the session and replaces its tokens. */
async function elevate(
  parts: IdentityParts,
  context: RequestContext,
  principal: UserPrincipal,
  method: string,
): Promise<OpenedSession> {
  const { user, session } = await readOwn(parts.store, principal);
  const [token, places] = await Promise.all([
    parts.store.find(refreshTokenKind, session.refreshTokenId),
    placesOf(parts.store, user),
  ]);
  const now = parts.clock.now();
  const rotated = rotateRefreshToken(parts, session, token, {
    demandsMfa: demandsMfa(places),
    steppedUpAt: timestamp(now),
    generation: session.generation + 1,
  });
  const [accessToken, csrf] = await Promise.all([
    issueAccessToken(parts, rotated.session),
    csrfToken(parts.derivedKeys, session.id),
  ]);
  const description = describeSession(rotated.session, { user, places, lastSeen: now }, now);
  await parts.trail.commit(originOf(context), [
    {
      action: 'authentication.stepped_up',
      entity: { type: 'session', id: session.id },
      result: 'success',
      detail: { method },
      changes: rotated.changes,
    },
  ]);
  const { refreshToken } = rotated;
  return { session: rotated.session, description, accessToken, refreshToken, csrfToken: csrf };
}

async function isRight(
  parts: IdentityParts,
  context: RequestContext,
  user: User,
  proof: Proof,
): Promise<boolean> {
  if ('password' in proof) return parts.hasher.verify(user.passwordHash, proof.password);
  return useSecondFactor(parts, user.id, context.principal.workspaceId, proof, callerOf(context));
}

function methodOf(proof: Proof): string {
  if ('password' in proof) return 'password';
  return 'code' in proof ? 'totp' : 'backup_code';
}
