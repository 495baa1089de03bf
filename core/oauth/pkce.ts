import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether this can be a challenge of the method S256: 43 characters of base64url (RFC 7636 section 4.2). */
export function isCodeChallenge(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/**
 * Whether a verifier belongs to a challenge: `BASE64URL(SHA-256(verifier))`, compared in constant time. A verifier has
 * 43 to 128 unreserved characters (RFC 7636 sections 4.1 and 4.6); anything else belongs to none.
 */
export function isVerifierOf(challenge: string, verifier: string): boolean {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  const expected = Buffer.from(challenge, 'ascii');
  const actual = Buffer.from(createHash('sha256').update(verifier, 'ascii').digest('base64url'), 'ascii');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
