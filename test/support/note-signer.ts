import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { signatureLine, type VerifierKey, verifierKey } from '../../core/transparency/signed-note.ts';

/** PKCS #8 of an Ed25519 key up to its 32 bytes of seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs notes at once, with the key of a seed of 32 bytes: for tests of notes alone. */
export class NoteSigner {
  readonly key: VerifierKey;
  readonly #privateKey: KeyObject;

  constructor(seed: Uint8Array, name: string, type: 1 | 4 = 1) {
    const der = Buffer.concat([PKCS8_PREFIX, seed]);
    this.#privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' });
    this.key = verifierKey(name, Uint8Array.from(spki.subarray(-32)), type);
  }

  readonly sign = (message: string | Uint8Array): Uint8Array =>
    Uint8Array.from(sign(null, Buffer.from(message), this.#privateKey));

  /** The signature line of a text, for a key of type 1. */
  readonly line = (text: string): string => signatureLine(this.key, this.sign(text));
}
