import { createHash } from 'node:crypto';

/**
 * The id of an Ed25519 public key (32 bytes): its JWK thumbprint, SHA-256 in base64url, 43 characters (RFC 7638
 * section 3 with the required members of an octet key pair, RFC 8037 section 2).
 */
export function signingKeyId(publicKey: Uint8Array): string {
  const x = Buffer.from(publicKey).toString('base64url');
  // The thumbprint hashes these bytes: members in lexicographic order, no white space.
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}
