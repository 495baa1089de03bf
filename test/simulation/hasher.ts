import { createHash } from 'node:crypto';
import type { PasswordHasher } from '../../core/identity/passwords.ts';
import type { Random } from '../../core/kernel/ports.ts';

const SALT_BYTES = 16;

/**
 * A password hasher whose salts come from the seed, and which is done at once: Argon2id draws its own and works in
 * threads that no scheduler sees. Hashes of fewer passes count as outdated.
 */
export function seededHasher(random: Random, passes: number): PasswordHasher {
  const prefix = `$argon2id$v=19$m=8,t=${passes},p=1`;
  const digest = (salt: string, password: string): string =>
    createHash('sha256').update(`${salt}\0${password}`, 'utf8').digest('base64url');
  return {
    dummyHash: `${prefix}$-$-`,
    async hash(password) {
      const salt = Buffer.from(random.bytes(SALT_BYTES)).toString('base64url');
      return `${prefix}$${salt}$${digest(salt, password)}`;
    },
    async verify(hash, password) {
      const [, , , , salt = '', expected] = hash.split('$');
      return digest(salt, password) === expected;
    },
    isOutdated: (hash) => Number(/,t=(\d+),/.exec(hash)?.[1]) < passes,
  };
}
