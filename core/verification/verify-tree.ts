import { readRow } from '../audit/build-rows.ts';
import { rowHash } from '../audit/row.ts';
import type { Break, BreakReason } from '../audit/verify-lane.ts';
import { CheckpointError, logReader, readCheckpoint } from '../seal/published-log.ts';
import {
  appendLeaves,
  EMPTY_ROOT,
  frontierRoot,
  type Hash,
  HashFormatError,
  hashFromHex,
  hashToHex,
} from '../transparency/merkle.ts';
import { TileError, tileNodeReader } from '../transparency/tiles.ts';
import { aboveFloor } from './explain-entity.ts';
import { addFindings } from './findings.ts';
import { LeafOrder } from './leaf-order.ts';
import { RowReader } from './row-reader.ts';
import type { VerificationParts } from './verification-parts.ts';
import type { TreeProgress, VerificationRun, Verified } from './verification-state.ts';

type Parts = Pick<VerificationParts, 'ledger' | 'inspector' | 'log' | 'clock'>;
type Tree = TreeProgress['tree'];

/** The sealer comes every minute: a row that is older and not sealed was missed. */
export const MAX_UNSEALED_MS = 15 * 60 * 1000;
const ROWS_AT_ONCE = 1_000;
const EMPTY_TREE: Tree = { size: 0, frontier: [], next: {} };

interface SliceOutcome {
  readonly run: VerificationRun;
  readonly done: boolean;
}

/**
 * Follows the published Merkle tree for one more slice of leaves, at most `slice`: each row in the table must be the leaf
 * that was published in its place, and the published leaves must lead to the signed root, and on the way to the root that
 * was verified last. So no tree passes that does not grow from that one.
 *
 * @returns the run after the slice; `done` when the tree is followed to the signed head, or cannot be followed.
 */
export async function verifyTreeSlice(
  parts: Parts,
  workspaceId: string,
  run: VerificationRun,
  verified: Verified,
  slice: number,
): Promise<SliceOutcome> {
  const progress = run.tree ?? (await startTree(parts, workspaceId, run, verified));
  if ('reason' in progress) return { run: withBreaks(run, [progress]), done: true };
  const { tree, target } = progress;
  // The tree that was verified last is passed through on the way, so that its root can be compared.
  const known = verified.tree?.size ?? 0;
  const goal = tree.size < known ? known : target.size;
  const walked = await walkLeaves(parts, workspaceId, progress, Math.min(goal, tree.size + slice));
  const breaks = [...walked.breaks, ...rootFaults(walked, target, verified)];
  const after = withBreaks({ ...run, tree: { tree: walked.tree, target } }, breaks, walked.leaves);
  if (walked.isLost || breaks.length > walked.breaks.length) return { run: after, done: true };
  if (walked.tree.size < target.size) return { run: after, done: false };
  return { run: withBreaks(after, await findUnsealed(parts, workspaceId, after)), done: true };
}

function withBreaks(run: VerificationRun, breaks: readonly Break[], leaves = 0): VerificationRun {
  return { ...run, findings: addFindings(run.findings, { leaves }, breaks) };
}

async function startTree(
  parts: Parts,
  workspaceId: string,
  run: VerificationRun,
  { tree: known }: Verified,
): Promise<TreeProgress | Break> {
  const readAt = parts.clock.now();
  try {
    const published = await readCheckpoint(parts.log, workspaceId);
    const { size, root } = published?.checkpoint ?? { size: 0, root: EMPTY_ROOT };
    if (known !== undefined && size < known.size) return logFault('log_shrunk', known);
    const { root: _root, ...start } =
      run.kind === 'incremental' && known !== undefined ? known : { ...EMPTY_TREE, root: '' };
    return { tree: start, target: { size, root: hashToHex(root), readAt } };
  } catch (error) {
    if (error instanceof CheckpointError) return logFault('bad_signature', known ?? EMPTY_TREE);
    throw error;
  }
}

/** What is wrong with the log as a whole is told of the last row of lane 0 that is in the tree. */
function logFault(reason: BreakReason, { size, next }: Tree): Break {
  const seq = (next['0'] ?? 1) - 1;
  return { lane: 0, seq, reason, entity: { kind: 'checkpoint', id: String(size) } };
}

interface Walked {
  readonly tree: Tree;
  readonly leaves: number;
  readonly breaks: readonly Break[];
  /** The tree cannot be followed any further. */
  readonly isLost: boolean;
}

async function walkLeaves(
  parts: Parts,
  workspaceId: string,
  { tree, target }: TreeProgress,
  end: number,
): Promise<Walked> {
  const lost = (reason: BreakReason): Walked => ({
    tree,
    leaves: 0,
    breaks: [logFault(reason, tree)],
    isLost: true,
  });
  const published = await publishedLeaves(parts, workspaceId, tree.size, end, target.size);
  if (published === undefined) return lost('archive_missing');
  const order = new LeafOrder(parts.log.seals, workspaceId, await sealedLanes(parts, workspaceId), tree.next);
  const rows = new RowReader(parts.ledger, workspaceId, ROWS_AT_ONCE);
  const breaks: Break[] = [];
  for (const [index, leaf] of published.entries()) {
    const place = await order.take(tree.size + index);
    if (place === undefined) return lost('root_mismatch');
    const row = await rows.row(place.lane, place.seq);
    if (row === undefined) breaks.push({ ...place, reason: 'log_shrunk' });
    else if (rowHash(row.bytes) !== hashToHex(leaf)) breaks.push({ ...place, reason: 'log_forked' });
  }
  const { size, hashes } = appendLeaves(frontierOf(tree), published);
  return {
    tree: { size, frontier: hashes.map(hashToHex), next: order.next },
    leaves: published.length,
    breaks: await aboveFloor(parts, workspaceId, breaks),
    isLost: false,
  };
}

function frontierOf({ size, frontier }: Tree) {
  return { size, hashes: frontier.map(hashFromHex) };
}

/** The leaf hashes from `begin` up to but without `end` as the log's tiles give them; undefined where tiles are missing. */
async function publishedLeaves(
  parts: Parts,
  workspaceId: string,
  begin: number,
  end: number,
  size: number,
): Promise<readonly Hash[] | undefined> {
  const reader = tileNodeReader(logReader(parts.log, workspaceId), size);
  const ids = Array.from({ length: end - begin }, (_, index) => ({ level: 0, index: begin + index }));
  try {
    return await reader.nodes(ids);
  } catch (error) {
    if (error instanceof TileError || error instanceof HashFormatError) return undefined;
    throw error;
  }
}

async function sealedLanes({ log }: Parts, workspaceId: string): Promise<readonly number[]> {
  const state = await log.seals.read(workspaceId);
  return Object.keys(state?.lanes ?? {}).map(Number);
}

function rootFaults({ tree }: Walked, target: TreeProgress['target'], { tree: known }: Verified): Break[] {
  const root = hashToHex(frontierRoot(frontierOf(tree)));
  if (
    tree.size === known?.size &&
    (root !== known.root || (tree.size === target.size && root !== target.root))
  )
    return [logFault('log_forked', tree)];
  return tree.size === target.size && root !== target.root ? [logFault('root_mismatch', tree)] : [];
}

/** The first row of each lane that is not in the tree, though it had the time to get there. */
async function findUnsealed(
  { ledger }: Parts,
  workspaceId: string,
  { rows, tree }: VerificationRun,
): Promise<Break[]> {
  const breaks: Break[] = [];
  for (const lane of Object.keys(rows.heads).map(Number)) {
    const row = await ledger.row({ workspaceId, lane }, tree?.tree.next[lane] ?? 1);
    const content = row && readRow(row);
    if (content !== undefined && Date.parse(content.ts) + MAX_UNSEALED_MS < (tree?.target.readAt ?? 0))
      breaks.push({ lane, seq: content.seq, reason: 'unsealed' });
  }
  return breaks;
}
