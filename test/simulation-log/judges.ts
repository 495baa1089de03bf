import { readCheckpoint } from '../../core/seal/published-log.ts';
import { hashToHex } from '../../core/transparency/merkle.ts';
import type { VerificationRun } from '../../core/verification/verification-state.ts';
import { startRun, verifySlice } from '../../core/verification/verify-slice.ts';
import { leafHash } from '../../verify/merkle.js';
import { verifyRows } from '../../verify/verify.js';
import { keyOf, type SealedLog, WORKSPACE } from './sealed-log.ts';

/** Where a verifier finds the first row that is wrong, as `<lane>-<seq>`; undefined where it finds nothing. */
export type Judge = () => Promise<string | undefined>;

/** The first place in the order in which the rows were sealed; one that is none of theirs comes last. */
function firstOf(log: SealedLog, places: readonly string[]): string | undefined {
  const leafOf = (place: string): number => log.leafOf.get(place) ?? log.leaves.length;
  return places.toSorted((a, b) => leafOf(a) - leafOf(b))[0];
}

const NOTHING = { lanes: {} };
const SLICE = 20_000;

/**
 * The vault's own verifier, a complete run up to the archive: rows, entities, tree. The signature of the checkpoint is
 * verified once, since none of the edits touches it. An entity that does not fit its row is what is wrong only where all
 * rows are right.
 */
export async function vaultJudge(log: SealedLog): Promise<Judge> {
  const { parts } = log;
  const published = await readCheckpoint(parts.log, WORKSPACE);
  if (published === undefined) throw new Error('The log was sealed.');
  const { size, root } = published.checkpoint;
  const target = { size, root: hashToHex(root), readAt: parts.clock.now() };
  const tree = { tree: { size: 0, frontier: [], next: {} }, target };
  return async () => {
    const started = await startRun(parts, WORKSPACE, NOTHING, 'complete', 'ver_1');
    let run: VerificationRun = { ...started, tree };
    while (run.step !== 'archive') ({ run } = await verifySlice(parts, WORKSPACE, run, NOTHING, SLICE));
    const { breaks } = run.findings;
    const ofRows = breaks.filter(({ entity }) => entity === undefined);
    const weighty = ofRows.length > 0 ? ofRows : breaks;
    return firstOf(
      log,
      weighty.map(({ lane, seq }) => `${lane}-${seq}`),
    );
  };
}

/** The auditor's verifier: nothing but rows in the order of their leaves, and what was sealed. */
export async function offlineJudge(log: SealedLog): Promise<Judge> {
  const { parts, tables, leaves } = log;
  const published = await readCheckpoint(parts.log, WORKSPACE);
  if (published === undefined) throw new Error('The log was sealed.');
  const { size, root } = published.checkpoint;
  const sealed = {
    workspaceId: WORKSPACE,
    root,
    size,
    leafHashes: leaves.map(({ bytes }) => leafHash(bytes)),
  };
  const keys = leaves.map(({ lane, seq }) => keyOf(lane, seq));
  const known = new Set(keys);
  return async () => {
    const rows = keys.flatMap((key) => tables.rows.get(key) ?? []);
    for (const [key, row] of tables.rows) if (!known.has(key)) rows.push(row);
    const problems = verifyRows(
      rows.map(({ bytes }) => bytes),
      sealed,
    );
    // A leaf of as many as were sealed is the row that was sealed there, whatever it says of itself now.
    const isWhole = rows.length === size;
    const places = problems.flatMap(({ lane, seq, leaf = -1 }) => {
      const at = isWhole || lane === undefined ? (leaves[leaf] ?? rows[leaf]) : { lane, seq };
      return at === undefined ? [] : [`${at.lane}-${at.seq}`];
    });
    return firstOf(log, places);
  };
}
