import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type TimeRange, timesOf } from '../audit/date-range.ts';
import type { AuditRow } from '../audit/row.ts';
import type { Hash } from '../transparency/merkle.ts';
import { inclusionProof } from '../transparency/proofs.ts';
import { type Leaf, readLeaf } from './choose-rows.ts';
import type { EvidencePosition } from './collect-evidence.ts';
import type { EvidenceParts } from './evidence-parts.ts';
import { leafRange } from './leaf-range.ts';
import { openLog } from './open-log.ts';
import { readEntries } from './read-entries.ts';

/** Rows in one answer: with their proofs they take some two kilobytes each. */
export const MAX_PROVEN_ROWS = 1_000;

export interface ProvenLeaf extends Leaf {
  readonly row: AuditRow;
  readonly hashes: readonly Hash[];
}

export interface ProvenRows {
  readonly rows: readonly ProvenLeaf[];
  /** The signed checkpoint that all proofs lead to. */
  readonly checkpoint: string;
  readonly treeSize: number;
  readonly next?: EvidencePosition;
}

/** The sealed rows of a span of time in the order of the log, each with the proof that it is in it. */
export async function proveRows(
  parts: EvidenceParts,
  context: RequestContext,
  query: TimeRange,
  after?: EvidencePosition,
): Promise<ProvenRows> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:export');
  const published = await openLog(parts.log, workspaceId);
  const { note, checkpoint, nodes } = published;
  const range = after ?? (await leafRange(parts.log, published, query));
  const end = Math.min(range.end, range.begin + MAX_PROVEN_ROWS);
  const entries = await readEntries(published, range.begin, end);
  const rows: ProvenLeaf[] = [];
  for (const [at, bytes] of entries.entries()) {
    const leaf = readLeaf(bytes, range.begin + at);
    if (leaf.row === undefined || !isWithin(leaf.row, query)) continue;
    rows.push({
      ...leaf,
      row: leaf.row,
      hashes: await inclusionProof(nodes, leaf.index, checkpoint.size),
    });
  }
  await parts.trail.commit(originOf(context), [
    {
      action: 'audit.evidence_exported',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { ...timesOf(query), rows: String(rows.length), treeSize: String(checkpoint.size) },
    },
  ]);
  const next = end < range.end ? { next: { begin: end, end: range.end } } : {};
  return { rows, checkpoint: note, treeSize: checkpoint.size, ...next };
}

function isWithin({ ts }: AuditRow, { from, to }: TimeRange): boolean {
  const time = Date.parse(ts);
  return (from === undefined || time >= from) && (to === undefined || time < to);
}
