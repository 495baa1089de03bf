import { hashToHex } from '../transparency/merkle.ts';
import type { SealParts } from './parts.ts';
import { publish } from './publish.ts';
import { readEdge } from './read-edge.ts';
import type { Standing } from './read-standing.ts';
import { SealRefusal } from './refusal.ts';
import type { LeafSegment, SealState } from './seal-state.ts';
import { stagedEntries } from './stage-step.ts';
import { extendTree, type TreeStep } from './tree-step.ts';

/** Whether all that is sealed is public. */
export function isSettled({ state, published }: Standing): boolean {
  return state === undefined || (state.publishedSize === state.size && published.size === state.size);
}

/**
 * Publishes what is sealed and not yet public: a sealer died in between, or somebody replaced the checkpoint. The tree
 * is built again from the published one and the staged entries, or from the rows where those are gone, and must have
 * the root that was signed.
 *
 * @throws SealRefusal `archive_conflict` when it cannot be built.
 */
export async function finishPublishing(parts: SealParts, { state, published }: Standing): Promise<void> {
  if (state === undefined) return;
  const staged = await stagedEntries(parts, state, state.size - state.publishedSize);
  const step =
    (staged && (await rebuild(parts, state, staged))) ??
    (await rebuild(parts, state, await entriesInTable(parts, state)));
  if (step === undefined) {
    throw new SealRefusal(
      'archive_conflict',
      `checkpoint ${state.size}`,
      'The tree cannot be built from the published one and the rows that were sealed: some of them were changed.',
    );
  }
  await publish(parts, state, step.files, published);
}

async function rebuild(
  parts: SealParts,
  state: SealState,
  entries: readonly Uint8Array[],
): Promise<TreeStep | undefined> {
  const edge = await readEdge(parts, state.workspaceId, state.publishedSize);
  const step = extendTree(edge, entries);
  return step.frontier.size === state.size && hashToHex(step.root) === state.root ? step : undefined;
}

/** The rows of the state's last step as the table holds them now, in the order of their leaves. */
async function entriesInTable({ seals, ledger }: SealParts, state: SealState): Promise<Uint8Array[]> {
  const { workspaceId, publishedSize } = state;
  const found: LeafSegment[] = [];
  for (const [lane, head] of Object.entries(state.lanes)) {
    let segment = await seals.segmentOf(workspaceId, Number(lane), head.seq);
    while (segment !== undefined && segment.firstLeaf >= publishedSize) {
      found.push(segment);
      segment = await seals.segmentOf(workspaceId, segment.lane, segment.firstSeq - 1);
    }
  }
  const entries: Uint8Array[] = [];
  for (const { lane, firstSeq, lastSeq } of found.sort((a, b) => a.firstLeaf - b.firstLeaf)) {
    for (let seq = firstSeq; seq <= lastSeq; ) {
      const rows = await ledger.rows({ workspaceId, lane }, seq, lastSeq - seq + 1);
      const wanted = rows.filter((row) => row.seq >= seq && row.seq <= lastSeq);
      entries.push(...wanted.map(({ bytes }) => bytes));
      seq = (wanted.at(-1)?.seq ?? lastSeq) + 1;
    }
  }
  return entries;
}
