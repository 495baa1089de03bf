import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { type TimeRange, timesOf } from '../audit/date-range.ts';
import { type BundleFiles, bundleFiles } from './bundle-files.ts';
import type { EvidenceFilter } from './choose-rows.ts';
import type { EvidenceParts } from './evidence-parts.ts';
import { leafRange } from './leaf-range.ts';
import { openLog } from './open-log.ts';
import { readLeaves } from './read-leaves.ts';

/** Leaves in one bundle; a longer span goes on in the next. */
export const MAX_EVIDENCE_LEAVES = 10_000;
/** Bytes of rows in one bundle: Lambda answers at most 6 MB, in base64. */
const MAX_EVIDENCE_BYTES = 3_000_000;
const LIMITS = { leaves: MAX_EVIDENCE_LEAVES, bytes: MAX_EVIDENCE_BYTES };

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
  const leaves = await readLeaves(published, range, LIMITS);
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
  const files = await bundleFiles(parts.log, published, {
    ...query,
    keptSize: query.keptSize,
    begin: range.begin,
    leaves,
    createdAt: parts.clock.now(),
  });
  const begin = range.begin + leaves.length;
  return begin < range.end ? { files, next: { begin, end: range.end } } : { files };
}
