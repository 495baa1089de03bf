import { parseCheckpoint } from './checkpoint.ts';
import { type Hash, HashFormatError, hashFromBase64 } from './merkle.ts';
import { ProofError } from './proofs.ts';
import { NoteError, parseNote } from './signed-note.ts';
import { parseBase64, parseDecimal, toBase64 } from './text-forms.ts';

/** An inclusion proof in one file that needs nothing else but the entry (C2SP tlog-proof). */
export interface TlogProof {
  /** For the evidence of an audit row: its exact bytes. Nothing vouches for them but their leaf hash. */
  readonly extra?: Uint8Array;
  /** The leaf index of the entry. */
  readonly index: number;
  /** From the leaf's sibling to the root's child. */
  readonly hashes: readonly Hash[];
  /** The signed checkpoint that the proof leads to: a note, verbatim. */
  readonly checkpoint: string;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const EXTRA = 'extra ';
const INDEX = 'index ';
/** Room for the largest audit row in base64, 63 hashes and the largest note. */
const MAX_CHARACTERS = 262_144;
/** As many as a tree of 2^63 leaves needs. */
const MAX_HASHES = 63;

/**
 * The proof as a file. Empty `extra` is left out.
 *
 * @throws ProofError when a part is not of its form, or the file would be longer than 262,144 characters.
 */
export function formatTlogProof(proof: TlogProof): string {
  const { extra, index, hashes, checkpoint } = proof;
  const lines = [
    FIRST_LINE,
    ...(extra === undefined || extra.length === 0 ? [] : [`${EXTRA}${toBase64(extra)}`]),
    `${INDEX}${index}`,
    ...hashes.map(toBase64),
  ];
  const text = `${lines.join('\n')}\n\n${checkpoint}`;
  parseTlogProof(text);
  return text;
}

/**
 * Reads the form of a proof and verifies nothing: next, open the checkpoint with the log's key and verify the inclusion.
 *
 * @throws ProofError
 */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_CHARACTERS) {
    throw new ProofError(`A proof must not have more than ${MAX_CHARACTERS} characters.`);
  }
  const split = text.indexOf('\n\n');
  if (split === -1) throw new ProofError('A proof must have an empty line before the checkpoint.');
  const [first, ...lines] = text.slice(0, split).split('\n');
  if (first !== FIRST_LINE) throw new ProofError(`A proof must begin with the line ${FIRST_LINE}.`);
  const extra = lines[0]?.startsWith(EXTRA) ? parseExtra(lines.shift() ?? '') : undefined;
  const index = parseIndex(lines.shift() ?? '');
  if (lines.length > MAX_HASHES)
    throw new ProofError(`A proof must not have more than ${MAX_HASHES} hashes.`);
  try {
    const hashes = lines.map(hashFromBase64);
    const checkpoint = text.slice(split + 2);
    parseCheckpoint(parseNote(checkpoint).text);
    return { ...(extra && { extra }), index, hashes, checkpoint };
  } catch (error) {
    if (!(error instanceof HashFormatError || error instanceof NoteError)) throw error;
    throw new ProofError(`The proof is not well formed. ${error.message}`, { cause: error });
  }
}

function parseExtra(line: string): Uint8Array {
  const extra = parseBase64(line.slice(EXTRA.length));
  if (extra === undefined || extra.length === 0)
    throw new ProofError('The extra data must be base64, and not empty.');
  return extra;
}

function parseIndex(line: string): number {
  const index = line.startsWith(INDEX) ? parseDecimal(line.slice(INDEX.length)) : undefined;
  if (index === undefined)
    throw new ProofError('A proof must name the index of its leaf, a decimal number below 2^53.');
  return index;
}
