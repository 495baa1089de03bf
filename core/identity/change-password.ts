import { originOf, type RequestContext } from '../access/principal.ts';
import { RefusedChanges } from '../audit/append.ts';
import { VaultError } from '../kernel/errors.ts';
import { bookAttempt, sessionAttemptKey } from './guard-attempts.ts';
import type { IdentityParts } from './identity-parts.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { limitRequests } from './request-limits.ts';
import { setPassword } from './set-password.ts';
import type { User } from './user.ts';

/**
 * Changes the caller's password; every session of theirs is over then, the caller's too. Gives the person as they are now.
 *
 * @throws VaultError `login_refused` when the current password is wrong, counted like a failed login; `invalid_request`
 * with the faults of the new one; `breach_check_unavailable`.
 */
export async function changePassword(
  parts: IdentityParts,
  context: RequestContext,
  input: { readonly currentPassword: string; readonly newPassword: string },
): Promise<User> {
  const principal = authorizePerson(context.principal, 'account:manage');
  const { user, session } = await readOwn(parts.store, principal);
  await limitRequests(parts, 'password', context.ip, session.loginId);
  const attempt = await bookAttempt(parts, sessionAttemptKey(user, session));
  if (!(await parts.hasher.verify(user.passwordHash, input.currentPassword)))
    throw new VaultError('login_refused', 'The current password is wrong.');
  await attempt.clear();
  try {
    return await setPassword(parts, {
      user,
      password: input.newPassword,
      field: 'newPassword',
      action: 'user.password_changed',
      origin: originOf(context),
    });
  } catch (error) {
    if (!(error instanceof RefusedChanges)) throw error;
    throw new VaultError('concurrent_change', 'Your account changed at the same time. Log in and try again.');
  }
}
