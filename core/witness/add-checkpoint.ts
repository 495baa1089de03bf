import type { MessageSigner } from '../crypto/message-signer.ts';
import type { Clock } from '../kernel/ports.ts';
import { type Checkpoint, parseCheckpoint } from '../transparency/checkpoint.ts';
import { cosignatureBytes, cosignedMessage } from '../transparency/cosignature.ts';
import {
  EMPTY_ROOT,
  type Hash,
  HashFormatError,
  hashFromBase64,
  hashFromHex,
  hashToHex,
} from '../transparency/merkle.ts';
import { ProofError, verifyConsistency } from '../transparency/proofs.ts';
import { NoteError, openNote, parseNote, signatureLine, verifierKey } from '../transparency/signed-note.ts';
import { keyOfLog, type WatchedDeployment } from './witness-log.ts';
import type { WitnessStates } from './witness-states.ts';

export interface WitnessParts {
  /** The witness's own name, as it stands in its cosignatures. */
  readonly name: string;
  readonly deployments: readonly WatchedDeployment[];
  readonly states: WitnessStates;
  readonly signer: MessageSigner;
  readonly clock: Clock;
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: 'text/plain; charset=utf-8' | 'text/x.tlog.size';
  readonly body: string;
}

/** A consistency proof never needs more hashes (C2SP tlog-witness). */
const MAX_PROOF = 63;

interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Hash[];
  readonly note: string;
}

/**
 * `add-checkpoint` of C2SP tlog-witness: cosigns a log's checkpoint if it extends the last one cosigned, and remembers
 * it first. A log that shrinks or forks gets no cosignature, ever.
 *
 * @throws VaultError `unavailable` when the store or the key service does not answer. The checkpoint may then be
 * remembered without having been cosigned: the log asks again, with that size as the old one.
 */
export async function addCheckpoint(parts: WitnessParts, body: string): Promise<WitnessAnswer> {
  const submission = readSubmission(body);
  if (submission === undefined) return plain(400, 'The request is no add-checkpoint request.');
  const { oldSize, proof, note } = submission;
  const claimed = readCheckpoint(note);
  if (claimed === undefined) return plain(400, 'The request holds no checkpoint.');
  const { checkpoint, text } = claimed;
  const key = keyOfLog(parts.deployments, checkpoint.origin);
  if (key === undefined) return plain(404, 'This witness does not watch that log.');
  try {
    openNote(note, [key]);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return plain(403, 'The log’s own signature is missing or wrong.');
  }
  if (oldSize > checkpoint.size) return plain(400, 'The old size is larger than the checkpoint.');
  const known = await parts.states.read(checkpoint.origin);
  const knownSize = known?.size ?? 0;
  if (oldSize !== knownSize) return conflict(knownSize);
  if (!isConsistent(checkpoint, oldSize, known?.root, proof))
    return plain(422, 'The checkpoint does not extend the last one that was cosigned.');
  const next = { size: checkpoint.size, root: hashToHex(checkpoint.root) };
  if ((await parts.states.replace(checkpoint.origin, known, next)) === 'changed')
    return conflict((await parts.states.read(checkpoint.origin))?.size ?? 0);
  return plain(200, await cosignatureLine(parts, text));
}

async function cosignatureLine({ name, signer, clock }: WitnessParts, text: string): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000);
  const [key] = await signer.publicKeys();
  if (key === undefined) throw new TypeError('A signer has a key.');
  const { signature } = await signer.sign(cosignedMessage(text, seconds));
  return signatureLine(verifierKey(name, key.publicKey, 4), cosignatureBytes(seconds, signature));
}

function isConsistent(
  { size, root }: Checkpoint,
  oldSize: number,
  oldRoot: string | undefined,
  proof: readonly Hash[],
): boolean {
  const isEmptyTree = Buffer.compare(root, EMPTY_ROOT) === 0;
  if ((size === 0) !== isEmptyTree) return false;
  if (oldSize === 0) return proof.length === 0;
  try {
    verifyConsistency(oldSize, hashFromHex(oldRoot ?? ''), size, root, proof);
    return true;
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

/** An old size line, proof lines, an empty line, and the checkpoint; `undefined` for anything else. */
function readSubmission(body: string): Submission | undefined {
  const end = body.indexOf('\n\n');
  if (end < 0) return undefined;
  const [oldLine = '', ...proofLines] = body.slice(0, end).split('\n');
  const oldSize = Number(/^old (0|[1-9]\d{0,15})$/.exec(oldLine)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(oldSize) || proofLines.length > MAX_PROOF) return undefined;
  try {
    return { oldSize, proof: proofLines.map((line) => hashFromBase64(line)), note: body.slice(end + 2) };
  } catch (error) {
    if (error instanceof HashFormatError) return undefined;
    throw error;
  }
}

function readCheckpoint(
  note: string,
): { readonly checkpoint: Checkpoint; readonly text: string } | undefined {
  try {
    const { text } = parseNote(note);
    return { checkpoint: parseCheckpoint(text), text };
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, contentType: 'text/x.tlog.size', body: `${size}\n` };
}

/** What is not a list of signature lines is for the person who reads the log's errors. */
function plain(status: Exclude<WitnessAnswer['status'], 409>, text: string): WitnessAnswer {
  return {
    status,
    contentType: 'text/plain; charset=utf-8',
    body: text.endsWith('\n') ? text : `${text}\n`,
  };
}
