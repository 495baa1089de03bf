import { createHash } from 'node:crypto';
import type { Random } from '../kernel/ports.ts';

/**
 * Tokens that stand for one stored thing and are good once. Their prefixes let secret scanners recognize them; the
 * names part the ids, so that a token of one kind finds nothing of another.
 */
const PREFIXES = {
  refreshToken: 'lzr',
  mfaChallenge: 'lzm',
  invitation: 'lzi',
  passwordReset: 'lzp',
  authorizationCode: 'lzc',
} as const;

export type OpaqueTokenName = keyof typeof PREFIXES;

/** The prefix, `_`, and 32 random bytes in base64url: 47 characters. Never stored. */
export function newOpaqueToken(name: OpaqueTokenName, random: Random): string {
  return `${PREFIXES[name]}_${Buffer.from(random.bytes(32)).toString('base64url')}`;
}

export function isOpaqueToken(name: OpaqueTokenName, text: string): boolean {
  return text.length === 47 && new RegExp(`^${PREFIXES[name]}_[A-Za-z0-9_-]{43}$`).test(text);
}

/**
 * The id of what a token stands for: 128 bits of SHA-256 over the kind of token and the token, so that one read by
 * primary key finds it and the id gives no hint of the token.
 */
export function opaqueTokenId(name: OpaqueTokenName, token: string): string {
  const digest = createHash('sha256').update(`lockzero ${name}\0`).update(token, 'utf8').digest('hex');
  return `${name === 'invitation' ? 'inv' : PREFIXES[name]}_${digest.slice(0, 32)}`;
}
