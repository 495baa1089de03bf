import { originOf, type RequestContext } from '../access/principal.ts';
import { sealValue } from '../crypto/envelope.ts';
import { create, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { IdentityParts } from './identity-parts.ts';
import { mfaKind, totpName } from './mfa.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { tellWorkspaces } from './person.ts';
import { limitRequests } from './request-limits.ts';
import { newTotpSecret, totpQrCode, totpUri } from './totp.ts';

export interface TotpEnrollment {
  /** Base32, for typing into an app. */
  readonly secret: string;
  readonly uri: string;
  /** An SVG document. */
  readonly qrCode: string;
}

/**
 * Starts a TOTP enrolment: the secret is shown here, this once, and counts for nothing until a code of it is confirmed.
 * Starting again replaces what was not confirmed.
 *
 * @throws VaultError `mfa_already_on`
 */
export async function enrollTotp(parts: IdentityParts, context: RequestContext): Promise<TotpEnrollment> {
  const principal = authorizePerson(context.principal, 'mfa:manage');
  const { store, trail, clock, random } = parts;
  const { user, session } = await readOwn(store, principal);
  await limitRequests(parts, 'mfa_setup', context.ip, session.loginId);
  const earlier = await store.get(mfaKind, PLATFORM_WORKSPACE, user.id);
  if (earlier?.confirmedAt !== undefined) {
    throw new VaultError('mfa_already_on', 'MFA is on already. Switch it off first to set up another app.');
  }
  // Rises even from one enrolment to the next after MFA was off: the seconds do.
  const version = Math.max((earlier?.version ?? 0) + 1, Math.floor(clock.now() / 1000));
  const secret = newTotpSecret(random);
  const sealed = await sealValue(parts, parts.deploymentKeys.own, totpName(user.id, version), secret);
  const content = {
    ...sealed,
    version,
    startedAt: timestamp(clock.now()),
    lastStep: 0,
    backupCodes: [],
  };
  const change =
    earlier === undefined
      ? create(mfaKind, { workspaceId: PLATFORM_WORKSPACE, id: user.id, ...content })
      : update(mfaKind, earlier, content);
  const event = {
    action: 'user.mfa_enrollment_started',
    entity: { type: 'user', id: user.id },
    result: 'success',
  } as const;
  const origin = originOf(context);
  await trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [{ ...event, changes: [change] }]);
  await tellWorkspaces(trail, origin, event, [principal.workspaceId]);
  const uri = totpUri({ secret, email: user.email });
  const shown = { secret: new URL(uri).searchParams.get('secret') ?? '', uri, qrCode: totpQrCode(uri) };
  secret.fill(0);
  return shown;
}
