/**
 * Signed notes, checkpoints, cosignatures and proofs as text: C2SP signed-note, tlog-checkpoint, tlog-cosignature (the
 * Ed25519 kind) and tlog-proof. Signatures are Ed25519 (RFC 8032).
 */
import { isUtf8 } from 'node:buffer';
import { createPublicKey, verify } from 'node:crypto';
import { sha256 } from './merkle.js';

/**
 * @typedef {{name: string, id: string, type: number, key: import('node:crypto').KeyObject}} VerifierKey `id` is hex
 * @typedef {{name: string, id: string, signature: Buffer}} Signature
 * @typedef {{text: string, signatures: Signature[]}} Note
 * @typedef {{origin: string, size: number, root: Buffer, note: Note}} Checkpoint
 */

/** A note, a checkpoint, a key or a proof is not of its form, or not signed as it must be. */
export class NoteError extends Error {}

/** Signature types of C2SP signed-note: of a log, and of a witness. */
export const SIGNED = 1;
export const COSIGNED = 4;

const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
/** Key names are not empty and hold neither spaces nor plus signs. */
const NAME = '[^\\s\\p{White_Space}+]+';
const KEY = new RegExp(`^(${NAME})\\+([0-9a-f]{8})\\+([A-Za-z0-9+/=]+)$`, 'u');
const SIGNATURE_LINE = new RegExp(`^— (${NAME}) ([A-Za-z0-9+/=]+)$`, 'u');
// biome-ignore lint/suspicious/noControlCharactersInRegex: a note must not contain them
const CONTROL = /[\x00-\x09\x0b-\x1f]/;

/**
 * Reads a verifier key: `<name>+<key id, 8 hex digits>+<base64 of the type and the public key>`.
 *
 * @param {string} text
 * @returns {VerifierKey}
 */
export function parseVerifierKey(text) {
  const [, name = '', id = '', base64 = ''] = KEY.exec(text) ?? [];
  const material = fromBase64(base64);
  const type = material?.[0];
  if (material?.length !== 33 || (type !== SIGNED && type !== COSIGNED))
    throw new NoteError('The verifier key is not of the form <name>+<8 hex digits>+<base64>.');
  const expected = sha256(Buffer.concat([Buffer.from(`${name}\n`), material])).toString('hex', 0, 4);
  if (id !== expected) throw new NoteError('The verifier key has a typing error: its id does not fit it.');
  const x = material.toString('base64url', 1);
  return { name, id, type, key: createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } }) };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Note}
 */
export function parseNote(bytes) {
  if (bytes.length > MAX_NOTE_BYTES || !isUtf8(bytes))
    throw new NoteError('The note is too long or no text.');
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const end = whole.lastIndexOf('\n\n');
  const lines = whole.slice(end + 2).split('\n');
  if (end === -1 || lines.pop() !== '' || lines.length === 0 || lines.length > MAX_SIGNATURES)
    throw new NoteError('The note is no text with signatures below.');
  if (CONTROL.test(whole)) throw new NoteError('The note holds control characters.');
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

/** @param {string} line @returns {Signature} */
function parseSignature(line) {
  const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = fromBase64(base64);
  if (bytes === undefined || bytes.length < 5)
    throw new NoteError('The note has a malformed signature line.');
  return { name, id: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) };
}

/**
 * Checks a note: signatures by other keys are ignored, one by a key given must be right, and there must be one.
 *
 * @param {Note} note
 * @param {readonly VerifierKey[]} keys of type {@link SIGNED}
 * @throws {NoteError}
 */
export function checkSignature(note, keys) {
  let signed = false;
  for (const { name, id, signature } of note.signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.id === id);
    if (key === undefined) continue;
    if (!verify(null, Buffer.from(note.text), key.key, signature))
      throw new NoteError('The signature is not of this text.');
    signed = true;
  }
  if (!signed) throw new NoteError('There is no signature by the key given.');
}

/**
 * Checks a witness's cosignature of a checkpoint.
 *
 * @param {Note} note
 * @param {VerifierKey} witness of type {@link COSIGNED}
 * @returns {number} when it was made, in seconds since 1970
 * @throws {NoteError}
 */
export function checkCosignature(note, witness) {
  let seconds;
  for (const { name, id, signature } of note.signatures) {
    if (name !== witness.name || id !== witness.id) continue;
    const time = signature.length === 72 ? signature.readBigUInt64BE() : -1n;
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${note.text}`);
    if (time < 0n || time >= 1n << 63n || !verify(null, message, witness.key, signature.subarray(8)))
      throw new NoteError('The cosignature is not of this checkpoint.');
    seconds = Number(time);
  }
  if (seconds === undefined) throw new NoteError('There is no cosignature by this witness.');
  return seconds;
}

/**
 * Reads a checkpoint. Its signatures are not checked here.
 *
 * @param {Uint8Array} bytes
 * @returns {Checkpoint}
 */
export function parseCheckpoint(bytes) {
  const note = parseNote(bytes);
  const [origin = '', size = '', base64 = '', ...extensions] = note.text.slice(0, -1).split('\n');
  const root = fromBase64(base64);
  if (origin === '' || !isDecimal(size) || root?.length !== 32 || extensions.includes(''))
    throw new NoteError('The note is no checkpoint: an origin, a size and a root hash.');
  return { origin, size: Number(size), root, note };
}

/**
 * Reads a C2SP tlog-proof: a row as its extra data, its leaf index, an inclusion proof, a checkpoint.
 *
 * @param {Uint8Array} bytes
 * @returns {{row: Buffer, index: number, hashes: Buffer[], checkpoint: Checkpoint, note: Buffer}} `note` is the checkpoint
 * as it stands there
 */
export function parseProof(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.max(0, file.indexOf('\n\n'));
  const [version, extra = '', index = '', ...lines] = file.toString('latin1', 0, end).split('\n');
  const row = extra.startsWith('extra ') ? fromBase64(extra.slice(6)) : undefined;
  const isIndexed = index.startsWith('index ') && isDecimal(index.slice(6));
  if (version !== 'c2sp.org/tlog-proof@v1' || row === undefined || !isIndexed)
    throw new NoteError('The file is no C2SP tlog-proof that carries a row.');
  const hashes = lines.map(hashFromBase64);
  const note = file.subarray(end + 2);
  return { row, index: Number(index.slice(6)), hashes, checkpoint: parseCheckpoint(note), note };
}

/** @param {string} base64 @returns {Buffer} 32 bytes */
export function hashFromBase64(base64) {
  const bytes = fromBase64(base64);
  if (bytes?.length !== 32) throw new NoteError('A hash is not the base64 of 32 bytes.');
  return bytes;
}

/**
 * RFC 4648 section 4, strictly: with padding, and no other spelling of the same bytes.
 *
 * @param {string} text
 */
function fromBase64(text) {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** @param {string} text */
function isDecimal(text) {
  return /^(?:0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
}
