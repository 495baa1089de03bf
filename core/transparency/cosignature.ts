import { parseCheckpoint } from './checkpoint.ts';
import { isSignatureOf, NoteError, parseNote, type VerifierKey, verifyEd25519 } from './signed-note.ts';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

/**
 * What a witness signs: the text of a checkpoint behind a header and the time (C2SP tlog-cosignature, "Ed25519 signed
 * message").
 *
 * @param seconds POSIX time, whole seconds.
 * @throws NoteError when that is no time.
 */
export function cosignedMessage(text: string, seconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${checkedTime(seconds)}\n${text}`);
}

/**
 * A cosignature as its note line carries it: the time in 8 bytes, big-endian, and the Ed25519 signature of 64.
 *
 * @param seconds POSIX time, whole seconds.
 * @throws NoteError when that is no time, or the signature has another length.
 */
export function cosignatureBytes(seconds: number, signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) throw new NoteError('An Ed25519 signature must have 64 bytes.');
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(checkedTime(seconds)));
  return Buffer.concat([time, signature]);
}

/**
 * Verifies that a witness cosigned a checkpoint, and says when: POSIX time in whole seconds, as the witness claims it;
 * the latest when there are several.
 *
 * @param key A key of type 4.
 * @throws NoteError when the note is no checkpoint, a cosignature of the key does not verify, or there is none.
 */
export function verifyCosignature(note: string, key: VerifierKey): number {
  const { text, signatures } = parseNote(note);
  parseCheckpoint(text);
  const times = signatures
    .filter((line) => key.type === 4 && isSignatureOf(line, key))
    .map((line) => verifiedTime(text, line.signature, key));
  if (times.length === 0) throw new NoteError(`The checkpoint has no cosignature of ${key.name}.`);
  return Math.max(...times);
}

function verifiedTime(text: string, bytes: Uint8Array, key: VerifierKey): number {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) {
    throw new NoteError('A cosignature must be a time of 8 bytes and a signature of 64.');
  }
  const seconds = Number(Buffer.from(bytes.subarray(0, TIME_BYTES)).readBigUInt64BE());
  if (!verifyEd25519(key.publicKey, cosignedMessage(text, seconds), bytes.subarray(TIME_BYTES))) {
    throw new NoteError(`The cosignature of ${key.name} does not belong to this checkpoint and key.`);
  }
  return seconds;
}

function checkedTime(seconds: number): number {
  if (!Number.isSafeInteger(seconds) || seconds < 0) {
    throw new NoteError('The time of a cosignature must be whole seconds since 1970.');
  }
  return seconds;
}
