import { hash } from 'node:crypto';
import { dayStart } from '../archive/day.ts';
import type { ManifestCheckpoint } from '../archive/manifest.ts';
import { storeObject } from '../archive/store-object.ts';
import { bundleFiles } from '../evidence/bundle-files.ts';
import type { SealedLogs } from '../evidence/evidence-parts.ts';
import { type LeafLimits, readLeaves } from '../evidence/read-leaves.ts';
import { holdsFiles, zip } from '../evidence/zip.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import type { LaneRows } from './archived-period.ts';
import { type EvidenceSchedule, evidencePrefix } from './evidence-schedule.ts';
import { openSeal } from './open-seal.ts';
import type { Period } from './period.ts';
import { demandSealed, sealedRange } from './sealed-rows.ts';

export interface PartParts {
  readonly log: SealedLogs;
  /** Each object has to be locked for this many days after its period. */
  readonly minRetentionDays: number;
  /** How much goes into one part at most. @default {@link PART_LIMITS} */
  readonly partLimits?: LeafLimits;
}

/** A bundle that lies in the archive. */
export interface ExportedPart {
  /** From 1. */
  readonly part: number;
  readonly key: string;
  readonly versionId: string;
  /** Of its bytes, hex. */
  readonly sha256: string;
  readonly firstLeaf: number;
  readonly leaves: number;
  readonly treeSize: number;
  /** Whether the period ends with it. */
  readonly isLast: boolean;
}

/**
 * Leaves and bytes of rows in one part: a month with a million rows has some thirty. With all copies of them that making a
 * zip file takes, the memory of the function has room for it ten times over.
 */
const PART_LIMITS: LeafLimits = { leaves: 50_000, bytes: 32 * 1024 * 1024 };

/**
 * Writes the next part of a period's evidence to the archive: `<period>.zip`, or where there are several,
 * `<period>-<number>.zip`. It depends on nothing but the period, down to its bytes, so that whoever finds it there, left by a
 * run that died, takes it over.
 *
 * @param lanes the rows of the period.
 * @param checkpoint of the tree that it is taken from.
 * @throws ArchiveFault when the name is taken by anything else, or the archive or the log was tampered with.
 * @throws TileError for a part of the log that is missing or damaged; VaultError `unavailable`, `internal`
 */
export async function exportPart(
  { log, minRetentionDays, partLimits = PART_LIMITS }: PartParts,
  { workspaceId, begun }: Pick<EvidenceSchedule, 'workspaceId' | 'begun'>,
  period: Period,
  { lanes, checkpoint }: { readonly lanes: readonly LaneRows[]; readonly checkpoint: ManifestCheckpoint },
): Promise<ExportedPart> {
  const span = { from: dayStart(period.from), to: dayStart(period.to) };
  // Opened for each part: what was read of the log for one is forgotten before the next.
  const published = await openSeal(log, workspaceId, checkpoint);
  const { begin: first, end } = await sealedRange(log, published, lanes);
  const begin = begun?.nextLeaf ?? first;
  const leaves = await readLeaves(published, { begin, end }, partLimits);
  await demandSealed(published, begin, leaves);
  const isLast = begin + leaves.length === end;
  const part = (begun?.parts ?? 0) + 1;
  const name = part === 1 && isLast ? period.name : `${period.name}-${part}`;
  const key = `${evidencePrefix(workspaceId)}${name}.zip`;
  const files = await bundleFiles(log, published, {
    ...span,
    filter: {},
    begin,
    leaves,
    keptSize: undefined,
    createdAt: span.to,
  });
  const lockedUntil = span.to + minRetentionDays * DAY_MS;
  const stored = await storeObject(log.archive, key, zip(files), lockedUntil, (bytes) =>
    holdsFiles(bytes, files),
  );
  return {
    part,
    key,
    versionId: stored.versionId,
    sha256: hash('sha256', stored.bytes, 'hex'),
    firstLeaf: begin,
    leaves: leaves.length,
    treeSize: checkpoint.size,
    isLast,
  };
}
