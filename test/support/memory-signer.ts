import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { MessageSigner, PublicSigningKey } from '../../core/crypto/message-signer.ts';
import { signingKeyId } from '../../core/crypto/signing-key-id.ts';

/** PKCS #8 of an Ed25519 key up to its 32 bytes of seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The `MessageSigner` port with one key that is made from a seed of 32 bytes. */
export class MemorySigner implements MessageSigner {
  readonly #privateKey: KeyObject;
  readonly #public: PublicSigningKey;

  constructor(seed: Uint8Array) {
    this.#privateKey = createPrivateKey({
      key: Buffer.concat([PKCS8_PREFIX, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const spki = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' });
    const publicKey = Uint8Array.from(spki.subarray(-32));
    this.#public = { keyId: signingKeyId(publicKey), publicKey };
  }

  async sign(message: Uint8Array) {
    return {
      keyId: this.#public.keyId,
      signature: Uint8Array.from(sign(null, message, this.#privateKey)),
    };
  }

  async publicKeys(): Promise<readonly PublicSigningKey[]> {
    return [this.#public];
  }
}
