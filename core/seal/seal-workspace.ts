import { hashToHex } from '../transparency/merkle.ts';
import { checkLanes, waitingRows } from './check-lanes.ts';
import { finishPublishing, isSettled } from './finish-publishing.ts';
import { isNewest } from './later-seal.ts';
import type { SealParts } from './parts.ts';
import { publish } from './publish.ts';
import { readEdge } from './read-edge.ts';
import { type NewRows, readNewRows } from './read-new-rows.ts';
import { readStanding } from './read-standing.ts';
import { type RefusalReason, SealRefusal } from './refusal.ts';
import type { SealState } from './seal-state.ts';
import { signCheckpoint } from './sign-checkpoint.ts';
import { stageStep } from './stage-step.ts';
import { edgeFrontier, extendTree, type TreeEdge, type TreeStep } from './tree-step.ts';

export type SealOutcome =
  | {
      /** `sealed`: the tree has grown. `current`: nothing to seal. `waiting`: rows wait, for their turn or another sealer. */
      readonly status: 'sealed' | 'current' | 'waiting';
      /** Leaves in the tree. */
      readonly size: number;
    }
  /** Nothing was signed, and a critical alert was raised. */
  | { readonly status: 'refused'; readonly reason: RefusalReason };

export interface SealOptions {
  /** Seal what is there, however little and however soon after the last seal. */
  readonly force?: boolean;
}

/** A seal costs a signature and half a dozen locked objects: no more than one a minute, unless this many rows wait. */
const SEAL_INTERVAL_MS = 60_000;
const URGENT_ROWS = 1_000;

/**
 * Seals the new rows of a workspace: extends its Merkle tree by them, signs the head, and publishes tree and head in
 * the archive. A log that holds less than was sealed, or something else, is refused and alerted.
 *
 * Any number of sealers may be at work; the state's compare-and-swap lets one of them win. A crash leaves nothing, or
 * something that the next run finishes before it does anything else.
 *
 * @throws VaultError `unavailable` when a store or the key does not answer: run it again.
 */
export async function sealWorkspace(
  parts: SealParts,
  workspaceId: string,
  { force = false }: SealOptions = {},
): Promise<SealOutcome> {
  try {
    const first = await sealStep(parts, workspaceId, force);
    let last = first;
    while (last.isFull) last = await sealStep(parts, workspaceId, true);
    return { status: first.status, size: last.size };
  } catch (error) {
    if (!(error instanceof SealRefusal)) throw error;
    await parts.alerts.raise(error.alert(workspaceId));
    return { status: 'refused', reason: error.reason };
  }
}

interface StepOutcome {
  readonly status: 'sealed' | 'current' | 'waiting';
  readonly size: number;
  /** More rows wait than one step takes. */
  readonly isFull?: boolean;
}

/** One step of the tree; at each point a comment says what a crash there leaves behind. */
async function sealStep(parts: SealParts, workspaceId: string, isUrgent: boolean): Promise<StepOutcome> {
  let standing = await readStanding(parts, workspaceId);
  if (!isSettled(standing)) {
    await finishPublishing(parts, standing);
    standing = await readStanding(parts, workspaceId);
  }
  const { state, published } = standing;
  const size = state?.size ?? 0;
  if (!isSettled(standing)) return { status: 'waiting', size };

  const lanes = await checkLanes(parts.ledger, workspaceId, state);
  const waiting = waitingRows(lanes);
  if (waiting === 0) return { status: 'current', size };
  if (!isUrgent && !isDue(parts, state, waiting)) return { status: 'waiting', size };

  const rows = await readNewRows(parts, workspaceId, lanes, size);
  await alertBreaks(parts, workspaceId, rows);
  if (rows.entries.length === 0) return { status: 'current', size };

  const edge = await readEdge(parts, workspaceId, size);
  checkEdge(edge, state);
  const step = extendTree(edge, rows.entries);
  if (!(await isNewest(parts, workspaceId, state))) return { status: 'waiting', size };
  const next = nextState(parts, workspaceId, state, rows, step);
  await stageStep(parts, next, rows.entries);
  // Crash: nobody looks for what is staged under a root that was never sealed.
  const checkpoint = await signCheckpoint(parts, workspaceId, next.size, step.root);
  // Crash: the checkpoint is lost before anybody has seen it.
  const sealed = { ...next, checkpoint };
  if ((await parts.seals.replace(sealed, rows.segments)) === 'changed') return { status: 'waiting', size };
  // Crash: the rows are sealed, and the next run publishes them.
  await publish(parts, sealed, step.files, published);
  return { status: 'sealed', size: next.size, isFull: rows.isFull };
}

function isDue({ clock }: SealParts, state: SealState | undefined, waiting: number): boolean {
  if (state === undefined || waiting >= URGENT_ROWS) return true;
  // Either way: the clock that was read at the last seal may have been ahead.
  return Math.abs(clock.now() - state.sealedAt) >= SEAL_INTERVAL_MS;
}

/** The tree grows from what was signed, not from what lies in the archive. */
function checkEdge(edge: TreeEdge, state: SealState | undefined): void {
  const found = edgeFrontier(edge).hashes.map(hashToHex);
  const sealed = state?.frontier ?? [];
  if (found.length === sealed.length && found.every((hash, at) => hash === sealed[at])) return;
  throw new SealRefusal(
    'archive_conflict',
    `checkpoint ${edge.size}`,
    'The tiles at the edge of the published tree were replaced. Make the versions that were published first current again.',
  );
}

function nextState(
  { clock }: SealParts,
  workspaceId: string,
  state: SealState | undefined,
  rows: NewRows,
  { frontier, root }: TreeStep,
): Omit<SealState, 'checkpoint'> {
  return {
    workspaceId,
    version: (state?.version ?? 0) + 1,
    size: frontier.size,
    root: hashToHex(root),
    frontier: frontier.hashes.map(hashToHex),
    lanes: { ...state?.lanes, ...rows.lanes },
    sealedAt: clock.now(),
    publishedSize: state?.size ?? 0,
  };
}

/** One alert for a step: a rewritten table would have thousands. */
async function alertBreaks(parts: SealParts, workspaceId: string, { breaks }: NewRows): Promise<void> {
  const [first] = breaks;
  if (first === undefined) return;
  await parts.alerts.raise({
    tier: 'critical',
    kind: 'audit_break',
    workspaceId,
    subject: `row ${first.lane}-${first.seq}`,
    detail: { reason: first.reason, breaks: String(breaks.length) },
  });
}
