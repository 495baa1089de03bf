import { RefusedChanges } from '../audit/append.ts';
import { create, update } from '../kernel/entity.ts';
import { type ErrorCode, VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Caller } from './caller.ts';
import { isBreached } from './check-breached.ts';
import { bookLogin, loginRefused, recordFailedLogin } from './fail-login.ts';
import type { IdentityParts } from './identity-parts.ts';
import { attemptKey } from './known-device.ts';
import { MFA_CHALLENGE_MS, mfaChallengeKind, mfaKind } from './mfa.ts';
import { newOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { type OpenedSession, openSession } from './open-session.ts';
import { findPerson, type Place, personOrigin, placesOf } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { emailId, type User, userKind } from './user.ts';

export interface Login {
  readonly email: string;
  readonly password: string;
  /** Where to; else the first workspace that the person joined. */
  readonly workspaceId?: string | undefined;
  /** What an earlier login from this browser left there. */
  readonly deviceToken?: string | undefined;
  /** {@link BROWSER}, or an OAuth client. */
  readonly client: string;
}

export type LoginResult =
  | { readonly status: 'complete'; readonly opened: OpenedSession; readonly user: User }
  /** The password was right; the second factor is to follow, with this token. */
  | { readonly status: 'mfa_required'; readonly mfaToken: string };

/**
 * The first step of a login. An unknown account and a wrong password take the same steps (limits, counter, two reads,
 * one slow hash, one record) and no less than half a second.
 *
 * The attempt is booked as a failure before the password is looked at, so that guesses made at once are all counted.
 *
 * @throws VaultError `login_refused`; `login_locked`; `rate_limited`; `forbidden` for a person without a workspace.
 */
export async function logIn(parts: IdentityParts, login: Login, caller: Caller): Promise<LoginResult> {
  const startedAt = parts.clock.now();
  try {
    return await takeFirstStep(parts, login, caller);
  } catch (error) {
    // What is recorded where differs from account to account, and so would the time that it takes.
    if (error instanceof VaultError && VAGUE.has(error.code))
      await parts.clock.sleep(Math.max(0, startedAt + REFUSAL_MS - parts.clock.now()));
    throw error;
  }
}

/** Refusals that must not tell whether there is such an account, */
const VAGUE: ReadonlySet<ErrorCode> = new Set(['login_refused', 'login_locked']);
/** and how long they take at least, in milliseconds: longer than any of them needs by itself. */
const REFUSAL_MS = 500;

async function takeFirstStep(parts: IdentityParts, login: Login, caller: Caller): Promise<LoginResult> {
  const user = await findPerson(parts.store, login.email);
  const account = { id: emailId(login.email), epoch: user?.epoch };
  const key = await attemptKey(parts.derivedKeys, account, login.deviceToken, parts.clock.now());
  await limitRequests(parts, 'login', caller.ip, key);
  const attempt = await bookLogin(parts, key, user, caller);
  const isRight = await parts.hasher.verify(user?.passwordHash ?? parts.hasher.dummyHash, login.password);
  if (user === undefined || !isRight) {
    await recordFailedLogin(parts, user, user === undefined ? 'unknown_account' : 'wrong_password', caller);
    throw loginRefused();
  }

  const places = await attempt.whileUndecided(placesOf(parts.store, user));
  const place =
    login.workspaceId === undefined
      ? places[0]
      : places.find(({ workspace }) => workspace.id === login.workspaceId);
  if (place === undefined) {
    await attempt.giveBack();
    await recordFailedLogin(parts, user, 'not_a_member', caller);
    throw new VaultError('forbidden', 'You are not a member of this workspace. Ask for an invitation.');
  }
  const refreshed = await attempt.whileUndecided(refreshPassword(parts, user, login.password, caller));
  const mustChangePassword = refreshed.isBreached || !satisfies(places, user);
  const mfa = await attempt.whileUndecided(parts.store.get(mfaKind, PLATFORM_WORKSPACE, user.id));
  if (mfa?.confirmedAt !== undefined) {
    await attempt.giveBack();
    const mfaToken = await challenge(parts, refreshed.user, place, mustChangePassword, caller);
    return { status: 'mfa_required', mfaToken };
  }
  await attempt.clear();
  const opened = await openSession(
    parts,
    {
      user: refreshed.user,
      place,
      client: login.client,
      mfa: false,
      places,
      mustChangePassword,
      event: { action: 'authentication.succeeded', detail: { method: 'password', client: login.client } },
    },
    caller,
  );
  return { status: 'complete', opened, user: refreshed.user };
}

/** Whether the password is one that the strictest policy of all these places takes. */
function satisfies(places: readonly Place[], { passwordProfiles }: User): boolean {
  return places.every(({ workspace }) => passwordProfiles.includes(workspace.policy.passwordProfile));
}

/** Hands out a token for the second step. Only whoever showed the password gets to try codes. */
async function challenge(
  { trail, clock, random }: IdentityParts,
  user: User,
  { workspace: { id: workspaceId } }: Place,
  mustChangePassword: boolean,
  caller: Caller,
): Promise<string> {
  const mfaToken = newOpaqueToken('mfaChallenge', random);
  const made = create(mfaChallengeKind, {
    workspaceId,
    id: opaqueTokenId('mfaChallenge', mfaToken),
    userId: user.id,
    epoch: user.epoch,
    mustChangePassword,
    expiresAt: clock.now() + MFA_CHALLENGE_MS,
  });
  await trail.commit(personOrigin(workspaceId, user.id, caller), [
    {
      action: 'authentication.mfa_required',
      entity: { type: 'user', id: user.id },
      result: 'success',
      changes: [made],
    },
  ]);
  return mfaToken;
}

/**
 * While the password is at hand: hashes it anew if today's parameters are stronger, and asks again whether it is a
 * breached one if nobody could tell when it was chosen.
 */
async function refreshPassword(
  parts: IdentityParts,
  user: User,
  password: string,
  caller: Caller,
): Promise<{ readonly user: User; readonly isBreached: boolean }> {
  const unchecked = user.breachUnchecked === true;
  const breached = unchecked ? await isBreached(parts.breached, password).catch(stillUnknown) : false;
  const isSettled = unchecked && breached === false;
  if (!parts.hasher.isOutdated(user.passwordHash) && !isSettled)
    return { user, isBreached: breached === true };
  const passwordHash = await parts.hasher.hash(password);
  const next = update(userKind, user, {
    passwordHash,
    passwordHistory: [passwordHash, ...user.passwordHistory.slice(1)],
    ...(isSettled ? { breachUnchecked: undefined } : {}),
  });
  try {
    await parts.trail.commit(personOrigin(PLATFORM_WORKSPACE, user.id, caller), [
      {
        action: 'user.password_rehashed',
        entity: { type: 'user', id: user.id },
        result: 'success',
        changes: [next],
      },
    ]);
  } catch (error) {
    // Another login did so just now, or the account changed otherwise: the next login looks again.
    if (!(error instanceof RefusedChanges)) throw error;
    return { user, isBreached: breached === true };
  }
  return { user: next.entity, isBreached: breached === true };
}

function stillUnknown(error: unknown): undefined {
  if (error instanceof VaultError && error.code === 'unavailable') return undefined;
  throw error;
}
