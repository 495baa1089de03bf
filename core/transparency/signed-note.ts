import { createPublicKey, hash, verify } from 'node:crypto';
import { parseBase64, toBase64 } from './text-forms.ts';

/** Ed25519 over the text (1), and timestamped cosignatures of checkpoints (4). */
export type SignatureType = 1 | 4;

/** A public key that notes are verified with, and the name that its signatures carry. */
export interface VerifierKey {
  readonly name: string;
  /** 4 bytes, derived from name, type and public key. It tells keys apart and proves nothing. */
  readonly keyId: Uint8Array;
  readonly type: SignatureType;
  /** An Ed25519 public key: 32 bytes (RFC 8032 section 5.1.5). */
  readonly publicKey: Uint8Array;
}

/** A signature as a note carries it: claimed, not verified. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A note, a verifier key or a signature is not of its form, or no trusted key signed the note. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

const MAX_NOTE_BYTES = 65_536;
const MAX_SIGNATURES = 100;
const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
/** An Ed25519 signature, which a cosignature puts behind a time of 8 bytes. */
const SIGNATURE_BYTES = { 1: 64, 4: 72 } as const;
const SIGNATURE_START = '\u2014 ';

/**
 * The verifier key of a public key (32 bytes) under a name, with the key id that C2SP signed-note derives.
 *
 * @throws NoteError when the name is empty or has a space, a control character or a plus, or the key has another length.
 */
export function verifierKey(name: string, publicKey: Uint8Array, type: SignatureType = 1): VerifierKey {
  if (!isKeyName(name)) throw new NoteError('A key name must be text without spaces and plus signs.');
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new NoteError('An Ed25519 public key must have 32 bytes.');
  const digest = hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(type), publicKey]),
    'buffer',
  );
  return { name, keyId: digest.subarray(0, KEY_ID_BYTES), type, publicKey };
}

/** The key as text: name, key id in hex, and type and key in base64, with a plus between (C2SP signed-note, "vkey"). */
export function formatVerifierKey(key: VerifierKey): string {
  const material = Buffer.concat([Uint8Array.of(key.type), key.publicKey]);
  return `${key.name}+${Buffer.from(key.keyId).toString('hex')}+${toBase64(material)}`;
}

/**
 * Reads what {@link formatVerifierKey} writes, and nothing else.
 *
 * @throws NoteError also when the key id is not the one that belongs to name, type and key.
 */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', material = ''] = VERIFIER_KEY.exec(text) ?? [];
  const bytes = parseBase64(material);
  const type = bytes?.[0];
  if (bytes === undefined || (type !== 1 && type !== 4)) {
    throw new NoteError(
      'A verifier key must be <name>+<key id>+<base64 of type and key>, for an Ed25519 key.',
    );
  }
  const key = verifierKey(name, bytes.subarray(1), type);
  if (formatVerifierKey(key) !== text) {
    throw new NoteError('The key id does not belong to the name and the key. Copy the verifier key again.');
  }
  return key;
}

/**
 * Reads the form of a note (C2SP signed-note) and verifies nothing. The note is at most 65,536 bytes of UTF-8 with 1 to
 * 100 signatures; a caller that has bytes must decode them strictly, because a replaced character is another note.
 *
 * @throws NoteError
 */
export function parseNote(note: string): {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
} {
  if (note.length > MAX_NOTE_BYTES || Buffer.byteLength(note) > MAX_NOTE_BYTES) {
    throw new NoteError(`A note must not have more than ${MAX_NOTE_BYTES} bytes.`);
  }
  if (!isNoteText(note)) throw new NoteError('A note must be text, without control characters but newlines.');
  const split = note.lastIndexOf('\n\n') + 1;
  if (split === 0 || !note.endsWith('\n')) {
    throw new NoteError('A note must be a text, an empty line and signature lines, and end with a newline.');
  }
  const lines = note.slice(split + 1, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) {
    throw new NoteError(`A note must not have more than ${MAX_SIGNATURES} signatures.`);
  }
  return { text: note.slice(0, split), signatures: lines.map(parseSignatureLine) };
}

/**
 * A signature as a line of a note, with the newline at its end.
 *
 * @param signature 64 bytes for a key of type 1; time and signature, 72 bytes, for a key of type 4.
 * @throws NoteError for another length.
 */
export function signatureLine(key: VerifierKey, signature: Uint8Array): string {
  if (signature.length !== SIGNATURE_BYTES[key.type]) {
    throw new NoteError(`A signature of type ${key.type} must have ${SIGNATURE_BYTES[key.type]} bytes.`);
  }
  return `${SIGNATURE_START}${key.name} ${toBase64(Buffer.concat([key.keyId, signature]))}\n`;
}

/**
 * A note of a text, which ends with a newline, and signature lines.
 *
 * @throws NoteError when that is no note, or one of other parts than these.
 */
export function noteOf(text: string, lines: readonly string[]): string {
  const note = `${text}\n${lines.join('')}`;
  const parsed = parseNote(note);
  if (parsed.text !== text || parsed.signatures.length !== lines.length) {
    throw new NoteError('A note must be made of a text and whole signature lines.');
  }
  return note;
}

/**
 * Verifies a note. Signatures of keys that are not among `keys` say nothing and are ignored; one of a known key that
 * does not verify spoils the note (C2SP signed-note, "Signatures"). Keys of type 4 sign another message and count as
 * unknown here: see `verifyCosignature`.
 *
 * @returns The text, and the keys (at least one) that signed it, each once, in the order of their signatures.
 * @throws NoteError when the note is not well formed, or one of the known signatures is bad, or there is none.
 */
export function openNote(
  note: string,
  keys: readonly VerifierKey[],
): { readonly text: string; readonly by: readonly VerifierKey[] } {
  const { text, signatures } = parseNote(note);
  const by = new Set<VerifierKey>();
  for (const signature of signatures) {
    const key = keys.find((candidate) => candidate.type === 1 && isSignatureOf(signature, candidate));
    if (key === undefined) continue;
    if (!verifyEd25519(key.publicKey, Buffer.from(text), signature.signature)) {
      throw new NoteError(`The signature of ${key.name} does not belong to this note and key.`);
    }
    by.add(key);
  }
  if (by.size === 0) throw new NoteError('The note has no signature of a trusted key.');
  return { text, by: [...by] };
}

/** Whether the signature claims to be of this key: name and key id together tell. */
export function isSignatureOf(signature: NoteSignature, key: VerifierKey): boolean {
  return signature.name === key.name && Buffer.compare(signature.keyId, key.keyId) === 0;
}

/** Whether this is a signature (RFC 8032) of the message by the key: 32 bytes of key, 64 of signature. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  return verify(null, message, key, signature);
}

const VERIFIER_KEY = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/;
const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([^ ]+)$/;
const KEY_NAME = /^[^\p{White_Space}\p{Cc}+]+$/u;
/** C2SP forbids the control characters below U+0020 other than newline. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const CONTROL_CHARACTER = /[\u0000-\u0009\u000b-\u001f]/;

function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = parseBase64(encoded);
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES || !isKeyName(name)) {
    throw new NoteError(
      'A signature line must be an em dash, a key name, and key id and signature in base64.',
    );
  }
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

function isKeyName(name: string): boolean {
  return KEY_NAME.test(name) && name.isWellFormed();
}

function isNoteText(text: string): boolean {
  return text.isWellFormed() && !CONTROL_CHARACTER.test(text);
}
