import { readCheckpoint } from '../../core/seal/published-log.ts';
import { hashToHex } from '../../core/transparency/merkle.ts';
import type { VerificationRun } from '../../core/verification/verification-state.ts';
import { startRun, verifySlice } from '../../core/verification/verify-slice.ts';
import { leafHash } from '../../verify/merkle.js';
import { verifyRows } from '../../verify/verify.js';
import { keyOf, type SealedLog, WORKSPACE } from './sealed-log.ts';

/** Where a verifier finds the first row that is wrong, as `<lane>-<seq>`; undefined where it finds nothing. */
export type Judge = () => Promise<string | undefined>;

const NOTHING = { lanes: {} };
const SLICE = 20_000;

/**
 * The vault's own verifier, a complete run up to the archive: rows, entities, tree. The signature of the checkpoint is
 * verified once, since none of the edits touches it. What counts is the break that the alert would name.
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
    const [first] = run.findings.breaks;
    return first && `${first.lane}-${first.seq}`;
  };
}

/**
 * The auditor's verifier: nothing but rows in the order of their leaves, and what was sealed. Of the rows that it names,
 * the one that was sealed first counts.
 */
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
  const order = new Map(leaves.map(({ lane, seq }, leaf) => [`${lane}-${seq}`, leaf]));
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
      const place = isWhole || lane === undefined ? (leaves[leaf] ?? rows[leaf]) : { lane, seq };
      return place === undefined ? [] : [`${place.lane}-${place.seq}`];
    });
    const leafOf = (place: string): number => order.get(place) ?? size;
    return places.sort((a, b) => leafOf(a) - leafOf(b))[0];
  };
}
