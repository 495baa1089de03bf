import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { MessageSigner, PublicSigningKey } from '../../core/crypto/message-signer.ts';
import { signingKeyId } from '../../core/crypto/signing-key-id.ts';

/** PKCS #8 of an Ed25519 key up to its 32 bytes of seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Worlds are made by the thousand, all with the same few keys. */
const made = new Map<string, KeyPair>();

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly public: PublicSigningKey;
}

/** The `MessageSigner` port with one key that is made from a seed of 32 bytes. */
export class MemorySigner implements MessageSigner {
  readonly #pair: KeyPair;

  constructor(seed: Uint8Array) {
    const name = Buffer.from(seed).toString('hex');
    this.#pair = made.get(name) ?? keyPair(seed);
    made.set(name, this.#pair);
  }

  async sign(message: Uint8Array) {
    const { privateKey, public: own } = this.#pair;
    return { keyId: own.keyId, signature: Uint8Array.from(sign(null, message, privateKey)) };
  }

  async publicKeys(): Promise<readonly PublicSigningKey[]> {
    return [this.#pair.public];
  }
}

function keyPair(seed: Uint8Array): KeyPair {
  const key = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = Uint8Array.from(spki.subarray(-32));
  return { privateKey, public: { keyId: signingKeyId(publicKey), publicKey } };
}
