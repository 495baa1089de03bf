import { RefusedChanges } from '../audit/append.ts';
import { remove } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Caller } from './caller.ts';
import { bookLogin, codeRefused, recordFailedLogin } from './fail-login.ts';
import type { IdentityParts } from './identity-parts.ts';
import { attemptKey } from './known-device.ts';
import { mfaChallengeKind } from './mfa.ts';
import { isOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import { placesOf } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { type PresentedFactor, useSecondFactor } from './second-factor.ts';
import { emailId, type User, userKind } from './user.ts';

export interface SecondStep {
  readonly mfaToken: string;
  readonly factor: PresentedFactor;
  readonly deviceToken?: string | undefined;
  readonly client: string;
}

/**
 * The second step of a login: a wrong code counts as a failed login, and only this step, done, clears the counter.
 *
 * @throws VaultError `code_refused` for a wrong or used code and for a login that is over; `login_locked`; `rate_limited`.
 */
export async function completeMfa(
  parts: IdentityParts,
  step: SecondStep,
  caller: Caller,
): Promise<{ readonly opened: OpenedSession; readonly user: User }> {
  const { store } = parts;
  const challengeId = opaqueTokenId('mfaChallenge', step.mfaToken);
  await limitRequests(parts, 'mfa', caller.ip, challengeId);
  const challenge = isOpaqueToken('mfaChallenge', step.mfaToken)
    ? await store.find(mfaChallengeKind, challengeId)
    : undefined;
  const user = challenge && (await store.get(userKind, PLATFORM_WORKSPACE, challenge.userId));
  const isOver =
    challenge === undefined || challenge.expiresAt <= parts.clock.now() || user?.epoch !== challenge.epoch;
  if (user === undefined || isOver) {
    await recordFailedLogin(parts, user, 'mfa_token', caller);
    throw codeRefused();
  }

  const account = { id: emailId(user.email), epoch: user.epoch };
  const key = await attemptKey(parts.derivedKeys, account, step.deviceToken, parts.clock.now());
  const attempt = await bookLogin(parts, key, user, caller);
  const { workspaceId } = challenge;
  const isRight = await attempt.whileUndecided(
    useSecondFactor(parts, user.id, workspaceId, step.factor, caller),
  );
  const places = await attempt.whileUndecided(placesOf(store, user));
  const place = places.find(({ workspace }) => workspace.id === workspaceId);
  if (!isRight || place === undefined) {
    await recordFailedLogin(parts, user, isRight ? 'not_a_member' : 'mfa_code', caller);
    throw codeRefused();
  }
  await attempt.clear();
  const method = 'code' in step.factor ? 'password+totp' : 'password+backup_code';
  try {
    const opened = await openSession(
      parts,
      {
        user,
        place,
        client: step.client,
        mfa: true,
        places,
        mustChangePassword: challenge.mustChangePassword,
        event: { action: 'authentication.succeeded', detail: { method, client: step.client } },
        changes: () => [remove(mfaChallengeKind, challenge)],
      },
      caller,
    );
    return { opened, user };
  } catch (error) {
    // The same login was completed by another request a moment earlier.
    if (error instanceof RefusedChanges) throw codeRefused();
    throw error;
  }
}
