/** A public key that verifies what a {@link MessageSigner} signs. */
export interface PublicSigningKey {
  /** The JWK thumbprint of the key (RFC 7638, SHA-256, base64url). */
  readonly keyId: string;
  /** 32 bytes (RFC 8032 section 5.1.5). */
  readonly publicKey: Uint8Array;
}

/**
 * A service that signs with a key that never leaves it (AWS KMS). Access tokens have one key, the audit trail's
 * checkpoints another.
 *
 * @throws VaultError `unavailable` when the service does not answer, throttles or refuses.
 */
export interface MessageSigner {
  /** An Ed25519 signature of 64 bytes over the message, at most 4,096 bytes, by the current key. */
  sign(message: Uint8Array): Promise<{ readonly keyId: string; readonly signature: Uint8Array }>;
  /** The current key first, then earlier ones whose signatures still count. */
  publicKeys(): Promise<readonly PublicSigningKey[]>;
}
