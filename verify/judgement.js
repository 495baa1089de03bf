/**
 * What a verification finds: problems by closed codes, remarks, counts, and the verdict that follows from them.
 */
import { FormError } from './bundle.js';
import {
  COSIGNED,
  checkCosignature,
  checkSignature,
  NoteError,
  parseCheckpoint,
  parseVerifierKey,
  SIGNED,
} from './note.js';

/**
 * @typedef {import('./note.js').Checkpoint} Checkpoint
 * @typedef {import('./note.js').Note} Note
 * @typedef {import('./note.js').VerifierKey} VerifierKey
 * @typedef {keyof typeof MEANINGS} Code
 * @typedef {{lane?: number, seq?: number, leaf?: number}} Place a row as `<lane>-<seq>`, and its leaf index
 * @typedef {{code: Code, message: string} & Place} Problem
 * @typedef {'valid' | 'self-consistent but unsigned' | 'not valid'} Verdict
 * @typedef {object} Options
 * @property {readonly string[]} [keys] verifier keys of logs that the auditor trusts
 * @property {Uint8Array} [checkpoint] a signed checkpoint that the auditor kept from earlier
 * @property {readonly string[]} [witnesses] verifier keys of witnesses whose cosignature is demanded
 * @typedef {object} Result
 * @property {Verdict} verdict
 * @property {Problem[]} problems the weightiest first
 * @property {number} moreProblems how many were found beyond those told
 * @property {string[]} remarks what the evidence does not show, and what else is worth knowing
 * @property {string} origin of the log, or of the first one
 * @property {{[what: string]: number}} counts
 */

/** Every code, and what it means. A problem named earlier outweighs one named later; those of rows weigh the same. */
export const MEANINGS = {
  malformed_evidence: 'The evidence was damaged, or is no evidence of a form that this version knows.',
  missing_file: 'A file that belongs to the evidence is not there.',
  wrong_origin: 'The evidence is of another log than the key, the kept checkpoint or its own parts say.',
  bad_signature: 'The checkpoint was not signed by the key that you gave.',
  hash_mismatch: 'The row is not the one that was sealed: it was changed afterwards.',
  malformed: 'What stands here is no audit row.',
  unknown_version: 'The row is of a version that is not known.',
  not_canonical: 'The row is not written in its one canonical form.',
  wrong_place: 'The row does not belong here: it was moved, doubled, or comes from elsewhere.',
  missing_row: 'A row was taken out.',
  broken_link: 'The row does not name the hash of the row before it: one of the two was changed.',
  time_reversed: 'The row is dated before the row that it follows.',
  lane_not_opened: 'The lane has rows, but no row of lane 0 opened it.',
  withheld_row: 'A row is left out, although the bundle says that it has no filter.',
  filter_mismatch: 'The row is not one that the filter of the bundle lets through.',
  unsealed_row: 'There are more rows than sealed leaves: this one was added.',
  root_mismatch:
    'The rows and proofs do not give the root hash that was sealed: something in them was changed.',
  bad_proof: 'A proof does not lead to the checkpoint.',
  seal_mismatch: 'An earlier checkpoint of the same log does not agree with this evidence.',
  manifest_mismatch: 'A manifest of the daily archive does not agree with the rows, or is not signed.',
  tile_mismatch: 'A tile of the published log does not agree with its entries.',
  archive_mismatch:
    'An object of the daily archive does not agree with its manifest, or with the sealed rows.',
  log_shrunk: 'The log is shorter than the checkpoint that you kept: it was cut, or the evidence is older.',
  log_forked: 'The log is not the one whose checkpoint you kept: its history was rewritten.',
  kept_checkpoint_not_covered:
    'The evidence does not show that the log grew from the checkpoint that you kept.',
  bad_cosignature: 'A witness that you named did not cosign the checkpoint.',
  unknown_file: 'There is a file that does not belong to the evidence; nothing vouches for it.',
};

const CODES = Object.keys(MEANINGS);
const FIRST_OF_ROWS = CODES.indexOf('hash_mismatch');
const LAST_OF_ROWS = CODES.indexOf('unsealed_row');
/** A rewritten log would name every row. */
const MAX_PROBLEMS = 100;

/** Problems as they are found. */
export class Findings {
  /** How many there were beyond those kept. */
  more = 0;
  /** @type {Problem[]} */
  #problems = [];

  /**
   * @param {Code} code
   * @param {string} message
   * @param {Place} place
   * @returns {Problem} so that a place that shows only later can be added
   */
  add(code, message, place = {}) {
    const problem = { code, message, ...place };
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
    else this.more += 1;
    return problem;
  }

  /** @param {Findings} other */
  addAll(other) {
    this.#problems.push(...other.#problems);
    this.more += other.more;
  }

  /** @param {(problem: Problem) => boolean} isWrong */
  remove(isWrong) {
    this.#problems = this.#problems.filter((problem) => !isWrong(problem));
  }

  /** The weightiest first, and those of rows by their leaves. */
  get problems() {
    return this.#problems.toSorted(
      (a, b) => weight(a) - weight(b) || (a.leaf ?? Number.MAX_VALUE) - (b.leaf ?? Number.MAX_VALUE),
    );
  }
}

/** @param {Problem} problem */
function weight({ code }) {
  const index = CODES.indexOf(code);
  return index >= FIRST_OF_ROWS && index <= LAST_OF_ROWS ? FIRST_OF_ROWS : index;
}

/** One verification: what the auditor brought, and what came of it. */
export class Judgement {
  found = new Findings();
  /** @type {string[]} */
  remarks = [];
  /** @type {{[what: string]: number}} */
  counts = {};
  origin = '';
  /** The checkpoint that the auditor kept. @type {Checkpoint | undefined} */
  kept;
  #isSigned = true;
  /** @type {VerifierKey[]} */
  #keys;
  /** @type {VerifierKey[]} */
  #witnesses;

  /**
   * @param {Options} options
   * @throws {NoteError} when the auditor's own keys or checkpoint are not of their form
   */
  constructor({ keys = [], checkpoint, witnesses = [] }) {
    this.#keys = keys.map(parseVerifierKey);
    this.#witnesses = witnesses.map(parseVerifierKey);
    this.kept = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint);
    if (this.#keys.some(({ type }) => type !== SIGNED))
      throw new NoteError('The key given for the log is the key of a witness.');
    if (this.#witnesses.some(({ type }) => type !== COSIGNED))
      throw new NoteError('The key given for a witness is not one for cosignature/v1.');
  }

  /**
   * Judges who signed the checkpoint of a workspace's log.
   *
   * @param {Checkpoint} checkpoint
   * @param {string | undefined} workspaceId if it is known
   */
  openLog({ origin, note }, workspaceId) {
    this.origin ||= origin;
    if (workspaceId !== undefined && !origin.endsWith(`/${workspaceId}`))
      this.found.add(
        'wrong_origin',
        `The checkpoint of ${origin} is of another workspace than ${workspaceId}.`,
      );
    if (!this.hasKeyOf(origin)) this.#isSigned = false;
    const fault = this.signatureFault(note, origin);
    if (fault !== undefined) this.found.add('bad_signature', `${origin}: ${fault}`);
    for (const witness of this.#witnesses) this.#openCosignature(note, witness);
  }

  /** @param {Note} note @param {VerifierKey} witness */
  #openCosignature(note, witness) {
    try {
      const seconds = checkCosignature(note, witness);
      this.count('cosignatures');
      this.remarks.push(`${witness.name} cosigned the checkpoint, ${instant(seconds)}.`);
    } catch (error) {
      this.found.add('bad_cosignature', `${witness.name}: ${messageOf(error)}`);
    }
  }

  /**
   * Demands that the auditor's keys are for this log, if there are any.
   *
   * @param {string} origin
   */
  demandKeyOf(origin) {
    if (this.#keys.length > 0 && !this.hasKeyOf(origin))
      this.found.add('wrong_origin', `The key is for ${this.#keys[0]?.name}, the evidence is of ${origin}.`);
  }

  /** @param {string} origin */
  hasKeyOf(origin) {
    return this.#keys.some(({ name }) => name === origin);
  }

  get hasKeys() {
    return this.#keys.length > 0;
  }

  /**
   * Why a note is not signed as a part of a log; nothing if it is, or if there is no key to judge by.
   *
   * @param {Note} note
   * @param {string} origin
   */
  signatureFault(note, origin) {
    const keys = this.#keys.filter(({ name }) => name === origin);
    if (keys.length === 0) return undefined;
    try {
      checkSignature(note, keys);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  /**
   * Compares the log with the checkpoint that the auditor kept.
   *
   * @param {Checkpoint} checkpoint of the evidence
   * @param {(size: number) => Buffer | undefined} rootAt the root that the log had at a size, where that is proven
   */
  compareWithKept(checkpoint, rootAt) {
    if (this.kept === undefined) return;
    const { origin, size, root, note } = this.kept;
    if (origin !== checkpoint.origin) {
      this.found.add(
        'wrong_origin',
        `The checkpoint that you kept is of ${origin}, not of ${checkpoint.origin}.`,
      );
      return;
    }
    const fault = this.signatureFault(note, origin);
    if (fault !== undefined) this.found.add('bad_signature', `The checkpoint that you kept: ${fault}`);
    const sizes = `You kept a tree of ${size} leaves; the evidence is of one of ${checkpoint.size}.`;
    const proven = size === checkpoint.size ? checkpoint.root : rootAt(size);
    if (size > checkpoint.size) this.found.add('log_shrunk', sizes);
    else if (proven === undefined) this.found.add('kept_checkpoint_not_covered', sizes);
    else if (!proven.equals(root)) this.found.add('log_forked', sizes);
    else this.count('keptCheckpoints');
  }

  /** @param {string} what */
  count(what, number = 1) {
    this.counts[what] = (this.counts[what] ?? 0) + number;
  }

  /** @returns {Result} */
  result() {
    const { problems, more } = this.found;
    const sound = this.#isSigned ? 'valid' : 'self-consistent but unsigned';
    return {
      verdict: problems.length > 0 ? 'not valid' : sound,
      problems,
      moreProblems: more,
      remarks: this.remarks,
      origin: this.origin,
      counts: this.counts,
    };
  }
}

/**
 * Runs a verification; evidence that is not of its form is a problem like any other.
 *
 * @param {Options} options
 * @param {(judgement: Judgement) => void} work
 * @returns {Result}
 * @throws {NoteError} when what the auditor brings is not of its form
 */
export function judge(options, work) {
  const judgement = new Judgement(options);
  try {
    work(judgement);
  } catch (error) {
    if (error instanceof FormError) judgement.found.add(error.code, error.message);
    else if (error instanceof NoteError) judgement.found.add('malformed_evidence', error.message);
    else throw error;
  }
  return judgement.result();
}

/** @param {unknown} error */
function messageOf(error) {
  if (error instanceof NoteError) return error.message;
  throw error;
}

/** @param {number} seconds since 1970 */
function instant(seconds) {
  const lastOfYear9999 = 253_402_300_799;
  return seconds <= lastOfYear9999 ? new Date(seconds * 1000).toISOString() : `${seconds} seconds after 1970`;
}
