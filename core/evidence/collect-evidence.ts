import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type TimeRange, timesOf } from '../audit/date-range.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import { type BundleFiles, bundleFiles } from './bundle-files.ts';
import { type EvidenceFilter, type Leaf, readLeaf } from './choose-rows.ts';
import type { EvidenceParts } from './evidence-parts.ts';
import { type LeafRange, leafRange } from './leaf-range.ts';
import { openLog } from './open-log.ts';
import { readEntries } from './read-entries.ts';

/** Leaves in one bundle; a longer span goes on in the next. */
export const MAX_EVIDENCE_LEAVES = 10_000;
/** Bytes of rows in one bundle: Lambda answers at most 6 MB, in base64. */
const MAX_EVIDENCE_BYTES = 3_000_000;
/** Leaves read at once. */
const READ_LEAVES = 2_048;

export interface EvidenceQuery extends TimeRange {
  readonly filter: EvidenceFilter;
  /** The size of a checkpoint that an auditor kept, so that the bundle proves that the log only grew since. */
  readonly keptSize?: number | undefined;
}

/** Where the next bundle begins: the tree of that bundle holds all leaves before `end`, and may be larger. */
export type EvidencePosition = { readonly begin: number; readonly end: number };

export interface Evidence {
  /** Names and contents of the files. */
  readonly files: BundleFiles;
  readonly next?: EvidencePosition;
}

/**
 * Evidence for the rows of a span of time: exact rows, signed head, and proofs, for an auditor who has nothing of ours
 * but a public key. `docs/audit-format.md` specifies the files. The rows come from the sealed log, not from the table.
 *
 * @throws VaultError `not_sealed` before the first seal.
 */
export async function collectEvidence(
  parts: EvidenceParts,
  context: RequestContext,
  query: EvidenceQuery,
  after?: EvidencePosition,
): Promise<Evidence> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:export');
  const published = await openLog(parts.log, workspaceId);
  const range = after ?? (await leafRange(parts.log, published, query));
  const leaves = await readLeaves(published, range);
  await parts.trail.commit(originOf(context), [
    {
      action: 'audit.evidence_exported',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: {
        ...timesOf(query),
        firstLeaf: String(range.begin),
        leaves: String(leaves.length),
        treeSize: String(published.checkpoint.size),
      },
    },
  ]);
  const files = await bundleFiles(parts, published, {
    ...query,
    keptSize: query.keptSize,
    begin: range.begin,
    leaves,
  });
  const begin = range.begin + leaves.length;
  return begin < range.end ? { files, next: { begin, end: range.end } } : { files };
}

async function readLeaves(published: PublishedLog, { begin, end }: LeafRange): Promise<Leaf[]> {
  const last = Math.min(end, begin + MAX_EVIDENCE_LEAVES);
  const leaves: Leaf[] = [];
  let bytes = 0;
  for (let next = begin; next < last; next += READ_LEAVES) {
    for (const entry of await readEntries(published, next, Math.min(last, next + READ_LEAVES))) {
      bytes += entry.length;
      // One row at least, so that the bundles come to an end.
      if (bytes > MAX_EVIDENCE_BYTES && leaves.length > 0) return leaves;
      leaves.push(readLeaf(entry, begin + leaves.length));
    }
  }
  return leaves;
}
