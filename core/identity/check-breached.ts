import { createHash } from 'node:crypto';
import type { BreachedPasswords } from './breached-passwords.ts';
import { normalizePassword } from './password-policy.ts';

/** Hex digits of the SHA-1 that leave the vault: a million and more prefixes, each shared by hundreds of passwords. */
const PREFIX_DIGITS = 5;

/**
 * Whether this password is known from a breach. The service is keyed by SHA-1; only the first 5 of its 40 hex digits
 * are sent, and the rest is compared here.
 *
 * @throws VaultError `unavailable` when the service does not answer in time.
 */
export async function isBreached(breached: BreachedPasswords, password: string): Promise<boolean> {
  const digest = createHash('sha1').update(normalizePassword(password), 'utf8').digest('hex').toUpperCase();
  const seen = await breached.range(digest.slice(0, PREFIX_DIGITS));
  return (seen.get(digest.slice(PREFIX_DIGITS)) ?? 0) > 0;
}
