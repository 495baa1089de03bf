import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { hashBackupCodes, newBackupCodes } from './backup-codes.ts';
import { codeRefused } from './fail-login.ts';
import { bookAttempt, sessionAttemptKey } from './guard-attempts.ts';
import type { IdentityParts } from './identity-parts.ts';
import { keepOwnSession } from './keep-own-session.ts';
import { mfaKind } from './mfa.ts';
import { notifyOfMfa } from './notify-of-mfa.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { homesOf, tellWorkspaces } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { matchTotp } from './second-factor.ts';
import { type User, userKind } from './user.ts';

/**
 * Switches MFA on with a first code, and gives the backup codes, this once. Every other session of the person ends: it
 * has shown no second factor.
 *
 * @throws VaultError `code_refused`; `mfa_not_on` when no enrolment was started; `mfa_already_on`.
 */
export async function confirmTotp(
  parts: IdentityParts,
  context: RequestContext,
  { code }: { readonly code: string },
): Promise<{ readonly backupCodes: readonly string[]; readonly user: User }> {
  const principal = authorizePerson(context.principal, 'mfa:manage');
  const { store, trail, clock, random, hasher } = parts;
  const { user, session } = await readOwn(store, principal);
  await limitRequests(parts, 'mfa', context.ip, session.loginId);
  const mfa = await store.get(mfaKind, PLATFORM_WORKSPACE, user.id);
  if (mfa === undefined) throw new VaultError('mfa_not_on', 'Start with POST /auth/mfa/totp.');
  if (mfa.confirmedAt !== undefined) throw new VaultError('mfa_already_on', 'MFA is on already.');
  const attempt = await bookAttempt(parts, sessionAttemptKey(user, session));
  const step = await attempt.whileUndecided(matchTotp(parts, mfa, principal.workspaceId, code, context));
  if (step === undefined) throw codeRefused();
  await attempt.clear();

  const backupCodes = newBackupCodes(random);
  const confirmed = update(mfaKind, mfa, {
    confirmedAt: timestamp(clock.now()),
    lastStep: step,
    backupCodes: await hashBackupCodes(hasher, backupCodes),
  });
  const next = update(userKind, user, { epoch: user.epoch + 1 });
  const event = {
    action: 'user.mfa_enabled',
    entity: { type: 'user', id: user.id },
    result: 'success',
  } as const;
  const origin = originOf(context);
  await trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [
    { ...event, changes: [confirmed, next] },
  ]);
  await keepOwnSession(parts, context, session, { mfa: true, epoch: next.entity.epoch }, event);
  const others = (await homesOf(store, user)).filter((id) => id !== principal.workspaceId);
  await tellWorkspaces(trail, origin, event, others);
  await notifyOfMfa(parts.mail, user.email, 'on');
  return { backupCodes, user: next.entity };
}
