import { argon2id, hash, verify } from 'argon2';
import { isPossiblePassword, normalizePassword } from './password-policy.ts';

/** Turns passwords, and what else a person types from memory or paper, into hashes that are slow to guess. */
export interface PasswordHasher {
  /**
   * A PHC string, `$argon2id$v=19$m=…`, with a random salt of its own.
   *
   * @throws Error for a password that the policy would have refused: too long, or with unusable characters.
   */
  hash(password: string): Promise<string>;
  /**
   * Whether the hash is this password's. What nobody can have as a password does not match, and is not even hashed.
   *
   * @throws Error when the hash is not a PHC string.
   */
  verify(hash: string, password: string): Promise<boolean>;
  /** Whether the hash was made with weaker parameters than today's. */
  isOutdated(hash: string): boolean;
  /** Matches no password, and takes as long to say so as today's hashes do: for accounts that do not exist. */
  readonly dummyHash: string;
}

export interface Argon2idParameters {
  /** In KiB. */
  readonly memoryCost: number;
  /** Passes over the memory. */
  readonly timeCost: number;
  readonly parallelism: number;
}

/**
 * Above the least that OWASP's Password Storage Cheat Sheet advises for Argon2id (RFC 9106), which is 19,456 KiB, two
 * passes and one lane.
 */
export const ARGON2ID: Argon2idParameters = { memoryCost: 32_768, timeCost: 3, parallelism: 1 };

const HASH_BYTES = 32;
const COSTS = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/;
/** 16 and 32 zero bytes. Nobody will find a password that hashes to zeros, so no hash has to be computed for them. */
const ZERO_SALT = 'A'.repeat(22);
const ZERO_HASH = 'A'.repeat(43);

/** Argon2id, version 1.3, with salts of 16 random bytes and hashes of 32 bytes, over the UTF-8 of the password in NFC. */
export function createPasswordHasher(parameters: Argon2idParameters = ARGON2ID): PasswordHasher {
  const { memoryCost, timeCost, parallelism } = parameters;
  return {
    dummyHash: `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${ZERO_SALT}$${ZERO_HASH}`,
    async hash(password) {
      if (!isPossiblePassword(password))
        throw new Error('Check a password by the policy before it is hashed.');
      return hash(normalizePassword(password), {
        type: argon2id,
        hashLength: HASH_BYTES,
        memoryCost,
        timeCost,
        parallelism,
      });
    },
    async verify(stored, password) {
      return isPossiblePassword(password) && verify(stored, normalizePassword(password));
    },
    isOutdated(stored) {
      const [, memory, time] = COSTS.exec(stored) ?? [];
      return memory === undefined || Number(memory) < memoryCost || Number(time) < timeCost;
    },
  };
}
