#!/usr/bin/env node
/** The command. It reads files, calls the verifier, and prints what came of it; it writes nothing and asks no network. */
import { readFileSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FormError, MAX_UNPACKED_BYTES, unzip } from './bundle.js';
import { verifyArchive } from './folder.js';
import { judge, MEANINGS } from './judgement.js';
import { NoteError } from './note.js';
import { verifyEvidence, verifyProof } from './verify.js';

/**
 * @typedef {import('./judgement.js').Options} Options
 * @typedef {import('./judgement.js').Problem} Problem
 * @typedef {import('./judgement.js').Result & {row?: import('./row.js').Row}} Result
 */

const USAGE = `Usage: lockzero-verify <bundle.zip | row.tlog-proof | archive folder> [options]

  --key <key or file>        verifier key of the log, or a file with one or more, one to a line; may be repeated
  --checkpoint <file>        a signed checkpoint that you kept from earlier
  --witness <key or file>    verifier key of a witness who must have cosigned; may be repeated
  --json                     print the result as JSON

Ends with 0: valid, 1: not valid, 2: self-consistent but unsigned, 64: called wrongly.
`;

const HOW_TO_GET_THE_KEY = `No signature was checked, for there was no key for this log: all of this could have been made up by anybody.
Ask for the verifier key (GET /audit/checkpoint of the vault) over a way that you trust, and give it with --key.
A key that comes with the evidence proves nothing.
`;

const EXIT = { valid: 0, 'not valid': 1, 'self-consistent but unsigned': 2 };
const WRONG_USE = 64;

/** The auditor called the command wrongly, or gave it something it cannot read. */
class UsageError extends Error {}

/** @param {readonly string[]} args @returns {{path: string, json: boolean, options: Options}} */
function readArguments(args) {
  const { values, positionals } = parse(args);
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new UsageError(USAGE);
  return {
    path,
    json: values.json === true,
    options: {
      keys: (values.key ?? []).flatMap(readKeys),
      witnesses: (values.witness ?? []).flatMap(readKeys),
      ...(values.checkpoint !== undefined && { checkpoint: read(values.checkpoint) }),
    },
  };
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true },
        checkpoint: { type: 'string' },
        witness: { type: 'string', multiple: true },
        json: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/** @param {string} keyOrFile @returns {string[]} */
function readKeys(keyOrFile) {
  if (/^[^\s+]+\+[0-9a-f]{8}\+/.test(keyOrFile)) return [keyOrFile];
  const keys = read(keyOrFile)
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  if (keys.length === 0) throw new UsageError(`${keyOrFile} holds no key.\n`);
  return keys;
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : error}\n`);
  }
}

/** @param {string} path @param {Options} options @returns {Result} */
function verify(path, options) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return verifyArchive(path, options);
  if (stats !== undefined && stats.size > MAX_UNPACKED_BYTES)
    throw new UsageError(`${path} is larger than 1 GiB.\n`);
  const file = read(path);
  if (file.toString('latin1', 0, 23) === 'c2sp.org/tlog-proof@v1\n') return verifyProof(file, options);
  try {
    return verifyEvidence(unzip(file), options);
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    return judge(options, () => {
      throw error;
    });
  }
}

/** What the counts of a result count, in the order in which they are told. */
const COUNTED = {
  logs: 'logs',
  leaves: 'leaves of the tree',
  rows: 'rows read, each strictly and in its place',
  withheld: 'leaves shown as a bare hash',
  lanes: 'lanes',
  neighbours: 'rows beside them, proven',
  seals: 'earlier checkpoints',
  tiles: 'tiles of hashes',
  manifests: 'manifests of days',
  days: 'archived days',
  parts: 'archived objects',
  archivedRows: 'archived rows, compared with the sealed ones',
  keptCheckpoints: 'checkpoint that you kept, and the log grew from it',
  cosignatures: 'cosignatures',
};

/** @param {Result} result */
function describe({ verdict, problems, moreProblems, remarks, origin, counts, row }) {
  const told = Object.entries(COUNTED)
    .filter(([what]) => (counts[what] ?? 0) > 0)
    .map(([what, meaning]) => `${String(counts[what]).padStart(9)}  ${meaning}`);
  const shown = row && `           ${row.lane}-${row.seq}  ${row.ts}  ${row.action}  ${row.result}`;
  const [first, ...others] = problems;
  return [
    `Log ${origin || '(unknown)'}`,
    ...told,
    ...(shown ? [shown] : []),
    ...remarks.map((remark) => `Note: ${remark}`),
    ...others.map((problem) => `Also: ${nameOf(problem)}: ${problem.message}`),
    ...(moreProblems > 0 ? [`Also: ${moreProblems} more.`] : []),
    ...(first === undefined
      ? [verdict]
      : [`NOT VALID: ${nameOf(first)}`, `${MEANINGS[first.code]} ${first.message}`]),
  ].map(printable);
}

/** @param {Problem} problem */
function nameOf({ code, lane, seq, leaf }) {
  const row = lane === undefined || seq === undefined ? '' : ` at ${lane}-${seq}`;
  return `${code}${row}${leaf === undefined ? '' : ` (leaf ${leaf})`}`;
}

/**
 * Names in evidence may hold anything; a terminal must not obey them.
 *
 * @param {string} text
 */
function printable(text) {
  return text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** @param {readonly string[]} args @returns {number} the exit code */
function main(args) {
  try {
    const { path, json, options } = readArguments(args);
    const result = verify(path, options);
    if (json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else process.stdout.write(`${describe(result).join('\n')}\n`);
    if (!json && result.verdict === 'self-consistent but unsigned')
      process.stdout.write(`\n${HOW_TO_GET_THE_KEY}`);
    return EXIT[result.verdict];
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof NoteError)) throw error;
    process.stderr.write(error instanceof UsageError ? error.message : `${error.message}\n`);
    return WRONG_USE;
  }
}

process.exitCode = main(process.argv.slice(2));
