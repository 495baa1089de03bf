import { retryRefused } from '../audit/retry-refused.ts';
import { remove } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Caller } from './caller.ts';
import { recordFailedLogin } from './fail-login.ts';
import type { IdentityParts } from './identity-parts.ts';
import { isOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { type PasswordReset, passwordResetKind } from './password-reset.ts';
import { homesOf, personOrigin, tellWorkspaces } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { setPassword } from './set-password.ts';
import { userKind } from './user.ts';

/**
 * Sets a new password for whoever holds the link from the mail. It ends every session and opens none: a second factor
 * is still asked for at the next login, and the counter of failed logins stays as it is.
 *
 * @throws VaultError `link_refused` for a link that is unknown, used or over; `invalid_request` with the password's
 * faults, and then the link still works; `rate_limited`.
 */
export async function resetPassword(
  parts: IdentityParts,
  { token, newPassword }: { readonly token: string; readonly newPassword: string },
  caller: Caller,
): Promise<void> {
  await limitRequests(parts, 'reset', caller.ip, opaqueTokenId('passwordReset', token));
  // The account may have changed otherwise in the same moment; the link is looked at anew then.
  await retryRefused(() => useLink(parts, token, newPassword, caller));
}

async function useLink(
  parts: IdentityParts,
  token: string,
  newPassword: string,
  caller: Caller,
): Promise<void> {
  const id = opaqueTokenId('passwordReset', token);
  const reset = isOpaqueToken('passwordReset', token)
    ? await parts.store.find(passwordResetKind, id)
    : undefined;
  const user = reset && (await parts.store.get(userKind, PLATFORM_WORKSPACE, reset.userId));
  if (user === undefined || reset === undefined || isOver(reset, user.epoch, parts.clock.now())) {
    await recordFailedLogin(parts, user, 'reset_link', caller);
    throw linkRefused();
  }
  const origin = personOrigin(PLATFORM_WORKSPACE, user.id, caller);
  const entity = { type: 'user', id: user.id };
  const told = await homesOf(parts.store, user);
  try {
    await setPassword(parts, {
      user,
      password: newPassword,
      field: 'newPassword',
      action: 'user.password_reset',
      origin,
      changes: [remove(passwordResetKind, reset)],
    });
  } catch (error) {
    if (error instanceof VaultError && error.code === 'invalid_request')
      await tellWorkspaces(
        parts.trail,
        origin,
        { action: 'user.password_reset', entity, result: 'failure' },
        told,
      );
    throw error;
  }
}

function isOver(reset: PasswordReset, epoch: number, now: number): boolean {
  return reset.expiresAt <= now || reset.epoch !== epoch;
}

function linkRefused(): VaultError {
  return new VaultError(
    'link_refused',
    'This link is over: it was used already, or ten minutes have passed. Ask for another one.',
  );
}
