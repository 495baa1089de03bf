import type { Random } from '../kernel/ports.ts';
import type { PasswordHasher } from './passwords.ts';

/** What is kept of a backup code; its place in the list is its number. */
export interface BackupCodeHash {
  /** Argon2id, as a PHC string. */
  readonly hash: string;
  readonly usedAt?: string | undefined;
}

/** At most 10: the number of a code is its first character. */
const BACKUP_CODES = 10;
/** Of Crockford's base32, 5 bits each: 50 random bits in a code. */
const RANDOM_CHARACTERS = 10;
const GROUP = 5;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CANONICAL = new RegExp(`^[0-9][${ALPHABET}]{${RANDOM_CHARACTERS}}$`);

/**
 * Ten codes such as `4-k7qm2-x9rtd`, to be shown once. The first character is the code's number, so that checking one
 * takes one slow hash and not ten.
 */
export function newBackupCodes(random: Random): readonly string[] {
  return Array.from({ length: BACKUP_CODES }, (_, number) => {
    // 32 divides 256, so each character is equally likely.
    const characters = Array.from(random.bytes(RANDOM_CHARACTERS), (byte) => ALPHABET.charAt(byte % 32));
    return `${number}-${characters.slice(0, GROUP).join('')}-${characters.slice(GROUP).join('')}`;
  });
}

/** One after the other: together they would want the memory of ten hashes at once. */
export async function hashBackupCodes(
  hasher: PasswordHasher,
  codes: readonly string[],
): Promise<BackupCodeHash[]> {
  const hashes: BackupCodeHash[] = [];
  for (const code of codes) hashes.push({ hash: await hasher.hash(canonical(code)) });
  return hashes;
}

/**
 * The number of the unused code that this text is, if it is one. Case, spaces and hyphens do not matter, and `o`, `i`
 * and `l` pass for the digits that they look like (Crockford's base32). Whatever the text is, this takes one hash: the
 * time tells nothing about which codes are used.
 */
export async function findBackupCode(
  hasher: PasswordHasher,
  hashes: readonly BackupCodeHash[],
  text: string,
): Promise<number | undefined> {
  const code = canonical(text);
  const number = Number(code.charAt(0));
  const candidate = CANONICAL.test(code) ? hashes[number] : undefined;
  if (candidate === undefined) {
    await hasher.verify(hasher.dummyHash, '');
    return undefined;
  }
  const matches = await hasher.verify(candidate.hash, code);
  return matches && candidate.usedAt === undefined ? number : undefined;
}

function canonical(text: string): string {
  return text.toLowerCase().replace(/[ -]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
}
