import { invalid, VaultError } from '../kernel/errors.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { isBreached } from './check-breached.ts';
import type { IdentityParts } from './identity-parts.ts';
import { PASSWORD_PROFILES, passwordFaults } from './password-policy.ts';
import { contextWords, passwordPolicyOf } from './person.ts';
import { PASSWORD_HISTORY, type User } from './user.ts';

type Parts = Pick<IdentityParts, 'hasher' | 'breached'>;

/** What a new password changes of a person. */
export type ChosenPassword = Pick<User, 'passwordHash' | 'passwordHistory' | 'passwordProfiles'> & {
  /** Set where nobody could tell whether the password is a breached one, and the policy accepts it all the same. */
  readonly breachUnchecked: true | undefined;
};

/**
 * Checks a new password by the strictest policy of the person's workspaces, against the known breaches and the last
 * twelve passwords, and hashes it.
 *
 * @param field the name of the request's field, for the error.
 * @throws VaultError `invalid_request` naming every fault; `breach_check_unavailable` where the policy refuses what
 * cannot be checked.
 */
export async function choosePassword(
  { hasher, breached }: Parts,
  field: string,
  password: string,
  email: string,
  workspaces: readonly Workspace[],
  history: readonly string[],
): Promise<ChosenPassword> {
  const policy = passwordPolicyOf(workspaces);
  const faults = passwordFaults(password, policy.profiles, contextWords(email, workspaces));
  if (faults.length > 0) {
    throw new VaultError('invalid_request', 'The password does not satisfy the policy. See "errors".', {
      errors: faults.map((reason) => ({ path: field, reason })),
    });
  }
  // One after the other: each wants the memory of a hash.
  for (const earlier of history) {
    if (await hasher.verify(earlier, password))
      throw invalid(field, `must not be one of your last ${PASSWORD_HISTORY} passwords`);
  }
  const isUnchecked = !(await refuseBreached(breached, field, password, policy.breachUnavailable));
  const passwordHash = await hasher.hash(password);
  return {
    passwordHash,
    passwordProfiles: PASSWORD_PROFILES.filter(
      (profile) => passwordFaults(password, [profile], []).length === 0,
    ),
    passwordHistory: [passwordHash, ...history].slice(0, PASSWORD_HISTORY),
    breachUnchecked: isUnchecked ? true : undefined,
  };
}

/** @returns whether it could be checked. */
async function refuseBreached(
  breached: Parts['breached'],
  field: string,
  password: string,
  whenUnavailable: 'refuse' | 'accept',
): Promise<boolean> {
  try {
    if (!(await isBreached(breached, password))) return true;
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'unavailable') throw error;
    if (whenUnavailable === 'accept') return false;
    throw new VaultError(
      'breach_check_unavailable',
      'Whether this password is known from a breach cannot be checked right now, so it was not accepted. Try again.',
      { cause: error, retryAfter: 30 },
    );
  }
  throw invalid(field, 'must not be a password that is known from a data breach');
}
