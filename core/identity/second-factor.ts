import { RefusedChanges } from '../audit/append.ts';
import { openValue } from '../crypto/envelope.ts';
import { attemptsOf, decryptRetried } from '../crypto/retried-decrypt.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { findBackupCode } from './backup-codes.ts';
import type { Caller } from './caller.ts';
import type { IdentityParts } from './identity-parts.ts';
import { type Mfa, mfaKind, totpName } from './mfa.ts';
import { personOrigin } from './person.ts';
import { acceptTotp } from './totp.ts';

/** What somebody shows as a second factor: the code of their app, or one from the list on paper. */
export type PresentedFactor = { readonly code: string } | { readonly backupCode: string };

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'keys' | 'hasher'>;

/** Whoever loses this often to other requests of the same person is not typing codes. */
const MAX_ROUNDS = 10;

/**
 * Whether a factor is right, and uses it up: of many requests with the same code exactly one succeeds, since each has
 * to move the same entity on. A request that lost to another code looks again.
 *
 * @param workspaceId where the attempt is recorded before the TOTP secret is unwrapped, so that each `kms:Decrypt` has its row.
 */
export async function useSecondFactor(
  parts: Parts,
  userId: string,
  workspaceId: string,
  factor: PresentedFactor,
  caller: Caller,
): Promise<boolean> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const mfa = await parts.store.get(mfaKind, PLATFORM_WORKSPACE, userId);
    if (mfa?.confirmedAt === undefined) return false;
    const used =
      'code' in factor
        ? await useTotp(parts, mfa, workspaceId, factor.code, caller)
        : await useBackupCode(parts, mfa, factor.backupCode);
    if (used === undefined) return false;
    try {
      await parts.trail.commit(personOrigin(PLATFORM_WORKSPACE, userId, caller), [
        { ...used, entity: { type: 'user', id: userId }, result: 'success' },
      ]);
      return true;
    } catch (error) {
      if (!(error instanceof RefusedChanges)) throw error;
    }
  }
  return false;
}

async function useTotp(parts: Parts, mfa: Mfa, workspaceId: string, code: string, caller: Caller) {
  const step = await matchTotp(parts, mfa, workspaceId, code, caller);
  if (step === undefined) return undefined;
  return { action: 'user.totp_used', changes: [update(mfaKind, mfa, { lastStep: step })] } as const;
}

async function useBackupCode({ hasher, clock }: Parts, mfa: Mfa, backupCode: string) {
  const found = await findBackupCode(hasher, mfa.backupCodes, backupCode);
  if (found === undefined) return undefined;
  const usedAt = timestamp(clock.now());
  const backupCodes = mfa.backupCodes.map((entry, index) => (index === found ? { ...entry, usedAt } : entry));
  const left = backupCodes.filter((entry) => entry.usedAt === undefined).length;
  return {
    action: 'user.backup_code_used',
    detail: { left: String(left) },
    changes: [update(mfaKind, mfa, { backupCodes })],
  } as const;
}

/**
 * The step of a TOTP code, if it is one of now. Records the attempt, then unwraps the secret; if the key service failed or
 * had to be asked more than once, a second row says so.
 */
export async function matchTotp(
  { trail, keys, clock }: Pick<Parts, 'trail' | 'keys' | 'clock'>,
  mfa: Mfa,
  workspaceId: string,
  code: string,
  caller: Caller,
): Promise<number | undefined> {
  const origin = personOrigin(workspaceId, mfa.id, caller);
  const entity = { type: 'user', id: mfa.id } as const;
  const attempted = { action: 'authentication.mfa_attempted', entity } as const;
  const version = String(mfa.version);
  await trail.commit(origin, [{ ...attempted, result: 'success', detail: { version } }]);
  const opened = await openValue(keys, totpName(mfa.id, mfa.version), mfa).catch(async (error) => {
    const code = error instanceof VaultError ? error.code : 'internal';
    const detail = { version, code, ...attemptsOf(error) };
    await trail.commit(origin, [{ ...attempted, result: 'failure', detail }]);
    throw error;
  });
  const { plaintext: secret, attempts } = opened;
  try {
    const retried = decryptRetried(entity, mfa.version, attempts);
    if (retried.length > 0) await trail.commit(origin, retried);
    return acceptTotp({ secret, code, now: clock.now(), lastStep: mfa.lastStep });
  } finally {
    secret.fill(0);
  }
}
