import { strangerOrigin, systemOrigin } from '../audit/lane-start.ts';
import { create } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { atLeast } from './at-least.ts';
import type { Caller } from './caller.ts';
import { recordFailedLogin } from './fail-login.ts';
import type { IdentityParts } from './identity-parts.ts';
import { newOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { PASSWORD_RESET_MS, passwordResetKind } from './password-reset.ts';
import { findPerson, homesOf, tellWorkspaces } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { emailId, type User } from './user.ts';

/** Longer than a mail usually takes to be handed over, so that its absence does not show. */
const ANSWER_MS = 1_500;

/**
 * Sends a link to set a new password to a person with this address. Whether there is one shows neither in the answer
 * nor in its time.
 *
 * @throws VaultError `rate_limited`
 */
export async function requestPasswordReset(
  parts: IdentityParts,
  { email }: { readonly email: string },
  caller: Caller,
): Promise<void> {
  await limitRequests(parts, 'reset_request', caller.ip, emailId(email));
  await atLeast(parts.clock, ANSWER_MS, sendLink(parts, email, caller));
}

async function sendLink(parts: IdentityParts, email: string, caller: Caller): Promise<void> {
  const user = await findPerson(parts.store, email);
  // Recorded too, so that somebody who tries many addresses is seen.
  if (user === undefined) await recordFailedLogin(parts, undefined, 'reset_of_unknown_account', caller);
  else await sendLinkTo(parts, user, caller);
}

async function sendLinkTo(parts: IdentityParts, user: User, caller: Caller): Promise<void> {
  const { trail, clock, random, mail, publicUrl } = parts;
  const token = newOpaqueToken('passwordReset', random);
  const reset = create(passwordResetKind, {
    workspaceId: PLATFORM_WORKSPACE,
    id: opaqueTokenId('passwordReset', token),
    userId: user.id,
    epoch: user.epoch,
    expiresAt: clock.now() + PASSWORD_RESET_MS,
  });
  const event = {
    action: 'user.password_reset_requested',
    entity: { type: 'user', id: user.id },
    result: 'success',
    detail: { sourceIp: caller.ip },
  } as const;
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'password-reset'), [{ ...event, changes: [reset] }]);
  // Whoever asks has proven nothing: to tenants this is a stranger's doing.
  const stranger = strangerOrigin(PLATFORM_WORKSPACE, caller.ip, caller.userAgent, caller.country);
  await tellWorkspaces(trail, stranger, event, await homesOf(parts.store, user));
  await mail
    .send({
      to: user.email,
      subject: 'Set a new Lockzero password',
      text: `Somebody, hopefully you, asked to set a new password for your Lockzero account.\n\nThis link works once, for ten minutes:\n${publicUrl}/reset-password?token=${token}\n\nIf it was not you, do nothing: your password stays as it is.\n`,
    })
    // An answer that tells of a mail which failed would tell that there is an account.
    .catch(() => undefined);
}
