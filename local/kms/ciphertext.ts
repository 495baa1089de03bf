import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AwsError } from '../stand-in.ts';

export type EncryptionContext = Record<string, string>;

// version (1) | key id (16) | nonce (12) | tag (16) | ciphertext
const VERSION = 1;
const KEY_ID_END = 17;
const NONCE_END = 29;
const TAG_END = 45;

/**
 * Encrypts under a key's 32-byte material with AES-256-GCM. The blob names its key, and the encryption context is
 * authenticated with it, in any order of its members, as KMS does.
 */
export function seal(keyId: string, material: Buffer, context: EncryptionContext, plaintext: Buffer): Buffer {
  const header = Buffer.from([VERSION, ...idBytesOf(keyId)]);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', material, nonce, { authTagLength: 16 });
  cipher.setAAD(authenticatedData(header, context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]);
}

/** The 16 bytes in the id of a key: of a UUID, or of what follows `mrk-`. */
export function idBytesOf(keyId: string): Buffer {
  return Buffer.from(keyId.replace(/^mrk-/, '').replaceAll('-', ''), 'hex');
}

/** The id of the key that made a blob, as its bytes. Throws InvalidCiphertextException where the blob is none of ours. */
export function makerOf(blob: Buffer): Buffer {
  if (blob.length <= TAG_END || blob[0] !== VERSION) throw invalidCiphertext();
  return blob.subarray(1, KEY_ID_END);
}

/** The way back. Throws InvalidCiphertextException for another key, another context or a changed blob. */
export function open(material: Buffer, context: EncryptionContext, blob: Buffer): Buffer {
  const nonce = blob.subarray(KEY_ID_END, NONCE_END);
  const decipher = createDecipheriv('aes-256-gcm', material, nonce, { authTagLength: 16 });
  decipher.setAAD(authenticatedData(blob.subarray(0, KEY_ID_END), context));
  decipher.setAuthTag(blob.subarray(NONCE_END, TAG_END));
  try {
    return Buffer.concat([decipher.update(blob.subarray(TAG_END)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

export function invalidCiphertext(): AwsError {
  return new AwsError(
    'InvalidCiphertextException',
    'The ciphertext was changed, or was encrypted under another encryption context.',
  );
}

function authenticatedData(header: Buffer, context: EncryptionContext): Buffer {
  const members = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([header, Buffer.from(JSON.stringify(members))]);
}
