/**
 * `composition`: 12 characters at least, with upper and lower case, a digit and a special character.
 * `length`: 15 characters at least and no rules of composition (NIST SP 800-63B-4 section 3.1.1.2).
 */
export const PASSWORD_PROFILES = ['composition', 'length'] as const;
export type PasswordProfile = (typeof PASSWORD_PROFILES)[number];

export interface PasswordPolicy {
  /** A password must satisfy each of these. */
  readonly profiles: readonly PasswordProfile[];
  /** What to do with a new password while nobody can tell whether it is a breached one. */
  readonly breachUnavailable: 'refuse' | 'accept';
}

/** In Unicode code points, counted as they were sent: what is longer is refused and never hashed, never cut. */
export const MAX_PASSWORD_CHARACTERS = 1_024;

const AT_MOST_MAX = new RegExp(`^.{0,${MAX_PASSWORD_CHARACTERS}}$`, 'su');

/**
 * Unpaired surrogates, which have no UTF-8, and code points that Unicode has not assigned: only without these is
 * normalization stable (UAX #15 section 12.1).
 */
const UNUSABLE = /[\p{Cs}\p{Cn}]/u;

const COMPOSITION: readonly (readonly [RegExp, string])[] = [
  [/\p{Lu}/u, 'must contain an upper-case letter'],
  [/\p{Ll}/u, 'must contain a lower-case letter'],
  [/\p{Nd}/u, 'must contain a digit'],
  [/[\p{P}\p{S}\p{Zs}]/u, 'must contain a special character, such as a punctuation mark or a space'],
];

/** The policy of somebody who is in all of these workspaces. Somebody in none gets the policy that all begin with. */
export function strictest(policies: readonly PasswordPolicy[]): PasswordPolicy {
  if (policies.length === 0) return { profiles: ['composition'], breachUnavailable: 'refuse' };
  return {
    profiles: PASSWORD_PROFILES.filter((profile) =>
      policies.some(({ profiles }) => profiles.includes(profile)),
    ),
    breachUnavailable: policies.some(({ breachUnavailable }) => breachUnavailable === 'refuse')
      ? 'refuse'
      : 'accept',
  };
}

/**
 * The form in which a password is measured, hashed and looked up: Unicode NFC, since keyboards differ in how they
 * compose the same character (NIST SP 800-63B-4 section 3.1.1.2). Nothing else is changed, spaces at the ends included.
 */
export function normalizePassword(password: string): string {
  return password.normalize('NFC');
}

/** Whether any account can have this password: not too long, and of nothing but usable characters. */
export function isPossiblePassword(password: string): boolean {
  return AT_MOST_MAX.test(password) && !UNUSABLE.test(password);
}

/**
 * Everything that is wrong with a new password, as reasons to show to whoever chose it; none if it is good. Whether it
 * was breached is for `check-breached.ts`.
 *
 * @param contextWords what it must not contain, in any case of letters (OWASP ASVS 5.0, V6.2.11).
 */
export function passwordFaults(
  password: string,
  profiles: readonly PasswordProfile[],
  contextWords: readonly string[],
): readonly string[] {
  if (!AT_MOST_MAX.test(password)) return ['must have at most 1,024 characters'];
  if (UNUSABLE.test(password)) return ['must not contain undefined characters'];
  const text = normalizePassword(password);
  const faults: string[] = [];
  const minimum = profiles.includes('length') ? 15 : 12;
  if ([...text].length < minimum) faults.push(`must have at least ${minimum} characters`);
  if (profiles.includes('composition')) {
    for (const [present, reason] of COMPOSITION) if (!present.test(text)) faults.push(reason);
  }
  const folded = text.toLowerCase();
  if (contextWords.some((word) => folded.includes(normalizePassword(word).toLowerCase()))) {
    faults.push('must not contain the name of this service, of your workspace or in your e-mail address');
  }
  return faults;
}
