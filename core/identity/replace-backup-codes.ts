import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { hashBackupCodes, newBackupCodes } from './backup-codes.ts';
import { enabledMfa } from './disable-totp.ts';
import type { IdentityParts } from './identity-parts.ts';
import { mfaKind } from './mfa.ts';
import { notifyOfMfa } from './notify-of-mfa.ts';
import { authorizePerson, readOwn } from './own-session.ts';
import { tellWorkspaces } from './person.ts';
import { limitRequests } from './request-limits.ts';

/**
 * Ten new backup codes, shown this once; the old ones are dead.
 *
 * @throws VaultError `mfa_not_on`
 */
export async function replaceBackupCodes(
  parts: IdentityParts,
  context: RequestContext,
): Promise<{ readonly backupCodes: readonly string[] }> {
  const principal = authorizePerson(context.principal, 'mfa:manage');
  const { user, session } = await readOwn(parts.store, principal);
  await limitRequests(parts, 'mfa_setup', context.ip, session.loginId);
  const mfa = await enabledMfa(parts, user.id);
  const backupCodes = newBackupCodes(parts.random);
  const next = update(mfaKind, mfa, { backupCodes: await hashBackupCodes(parts.hasher, backupCodes) });
  const event = {
    action: 'user.backup_codes_replaced',
    entity: { type: 'user', id: user.id },
    result: 'success',
  } as const;
  const origin = originOf(context);
  await parts.trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [{ ...event, changes: [next] }]);
  await tellWorkspaces(parts.trail, origin, event, [principal.workspaceId]);
  await notifyOfMfa(parts.mail, user.email, 'codes');
  return { backupCodes };
}
