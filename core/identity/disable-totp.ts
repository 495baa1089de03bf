import { originOf, type RequestContext } from '../access/principal.ts';
import { remove, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { IdentityParts } from './identity-parts.ts';
import { keepOwnSession } from './keep-own-session.ts';
import { type Mfa, mfaKind } from './mfa.ts';
import { notifyOfMfa } from './notify-of-mfa.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { demandsMfa, placesOf, tellWorkspaces } from './person.ts';
import { userKind } from './user.ts';

/**
 * Switches MFA off; its secret and backup codes are destroyed. Every other session of the person ends, and this one
 * counts as one without a second factor: what was shown before is nobody's to show again.
 *
 * @throws VaultError `mfa_not_on`; `mfa_required` while any workspace of the person demands it.
 */
export async function disableTotp(parts: IdentityParts, context: RequestContext): Promise<void> {
  const principal = authorizePerson(context.principal, 'mfa:manage');
  const { store, trail } = parts;
  const { user, session } = await readOwn(store, principal);
  const mfa = await enabledMfa(parts, user.id);
  const places = await placesOf(store, user);
  if (demandsMfa(places)) {
    throw new VaultError('mfa_required', 'A workspace of yours demands MFA, so it cannot be switched off.');
  }
  const event = {
    action: 'user.mfa_disabled',
    entity: { type: 'user', id: user.id },
    result: 'success',
  } as const;
  const origin = originOf(context);
  const next = update(userKind, user, { epoch: user.epoch + 1 });
  await trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [
    { ...event, changes: [remove(mfaKind, mfa), next] },
  ]);
  await keepOwnSession(parts, context, session, { mfa: false, epoch: next.entity.epoch }, event);
  const others = places.map(({ workspace }) => workspace.id).filter((id) => id !== principal.workspaceId);
  await tellWorkspaces(trail, origin, event, others);
  await notifyOfMfa(parts.mail, user.email, 'off');
}

/**
 * A person's second factor that is on.
 *
 * @throws VaultError `mfa_not_on`
 */
export async function enabledMfa({ store }: Pick<IdentityParts, 'store'>, userId: string): Promise<Mfa> {
  const mfa = await store.get(mfaKind, PLATFORM_WORKSPACE, userId);
  if (mfa?.confirmedAt !== undefined) return mfa;
  throw new VaultError('mfa_not_on', 'MFA is not on. Set it up with POST /auth/mfa/totp.');
}
