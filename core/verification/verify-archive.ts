import { ArchiveFault } from '../archive/archive-fault.ts';
import { archivedRows } from '../archive/archived-rows.ts';
import { type Day, dayEnd, dayOf, nextDay } from '../archive/day.ts';
import { archivePrefix, type ManifestPart, NO_MANIFEST } from '../archive/manifest.ts';
import { readManifest, type SignedManifest } from '../archive/read-manifests.ts';
import { readRow } from '../audit/build-rows.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { Break, BreakReason } from '../audit/verify-lane.ts';
import { aboveFloor } from './explain-entity.ts';
import { addFindings } from './findings.ts';
import { RowReader } from './row-reader.ts';
import type { VerificationParts } from './verification-parts.ts';
import type { ArchiveProgress, VerificationRun, Verified } from './verification-state.ts';

type Parts = Pick<VerificationParts, 'ledger' | 'inspector' | 'log' | 'clock'>;

/** A day is archived four hours after its end; a manifest that is not there after so long was missed, or is hidden. */
const MAX_ARCHIVING_MS = 30 * 60 * 60 * 1000;
const ROWS_AT_ONCE = 1_000;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d)/;
/** What reading a manifest counts for in a slice, in rows. */
const MANIFEST_ROWS = 100;

/** The archive cannot be followed any further. */
class ArchiveBreak extends Error {
  readonly found: Break;

  constructor(found: Break) {
    super(found.reason);
    this.found = found;
  }
}

/**
 * Checks one more slice of a workspace's daily archive, of about `slice` rows: each manifest has our signature and
 * follows the one of the day before, each part is the one that it names, and each archived row is still the one in the
 * table, unless retention has given it up. What comes behind a broken manifest cannot be judged.
 *
 * @returns the run after the slice; `done` when all days are checked that should be archived, or cannot be.
 */
export async function verifyArchiveSlice(
  parts: Parts,
  workspaceId: string,
  run: VerificationRun,
  verified: Verified,
  slice: number,
): Promise<{ readonly run: VerificationRun; readonly done: boolean }> {
  let archive = run.archive ?? startArchive(run, verified);
  let { findings } = run;
  const after = (done: boolean) => ({ run: { ...run, archive, findings }, done });
  try {
    for (let open = slice; open > 0; open -= MANIFEST_ROWS) {
      const signed = await nextManifest(parts, workspaceId, archive, verified);
      if (signed === undefined) return after(true);
      const part = signed.manifest.parts[archive.part];
      if (part === undefined) {
        archive = { manifest: { day: signed.manifest.day, sha256: signed.sha256 }, part: 0, partRows: 0 };
        continue;
      }
      const { rows, breaks, isWhole } = await comparePart(parts, workspaceId, part, archive.partRows, open);
      findings = addFindings(findings, { archivedRows: rows }, breaks);
      archive = isWhole
        ? { ...archive, part: archive.part + 1, partRows: 0 }
        : { ...archive, partRows: archive.partRows + rows };
      open -= rows;
    }
    return after(false);
  } catch (error) {
    if (!(error instanceof ArchiveBreak)) throw error;
    findings = addFindings(findings, {}, [error.found]);
    return after(true);
  }
}

function startArchive({ kind }: VerificationRun, { manifest }: Verified): ArchiveProgress {
  const start = { part: 0, partRows: 0 };
  return kind === 'incremental' && manifest !== undefined ? { ...start, manifest } : start;
}

/** The manifest of the day after the last one checked; undefined where it need not be there yet. */
async function nextManifest(
  { log, ledger, clock }: Parts,
  workspaceId: string,
  { manifest: last }: ArchiveProgress,
  { manifest: known }: Verified,
): Promise<SignedManifest | undefined> {
  const day = last === undefined ? await firstDay({ log, ledger }, workspaceId) : nextDay(last.day);
  if (day === undefined) return undefined;
  const signed = await telling(manifestBreak(day), () => readManifest(log, workspaceId, day));
  if (signed === undefined) {
    // A manifest that was verified once does not go away.
    const isDue = dayEnd(day) + MAX_ARCHIVING_MS <= clock.now() || (known !== undefined && day <= known.day);
    if (isDue) throw new ArchiveBreak(manifestBreak(day)('archive_missing'));
    return undefined;
  }
  const isNext = signed.manifest.previous === (last?.sha256 ?? NO_MANIFEST);
  const isKnown = day !== known?.day || signed.sha256 === known.sha256;
  if (!isNext || !isKnown) throw new ArchiveBreak(manifestBreak(day)('archive_mismatch'));
  return signed;
}

/** The first day that the archive has anything of; while it has nothing, the day of the first row. */
async function firstDay(
  { log, ledger }: Pick<Parts, 'log' | 'ledger'>,
  workspaceId: string,
): Promise<Day | undefined> {
  const prefix = archivePrefix(workspaceId);
  for await (const [key] of log.archive.list(prefix)) {
    const day = DAY.exec(key?.slice(prefix.length) ?? '')?.[0];
    if (day !== undefined) return day;
  }
  const [row] = await ledger.rows({ workspaceId, lane: PRINCIPAL_LANE }, 1, 1);
  const content = row && readRow(row);
  return content && dayOf(Date.parse(content.ts));
}

interface Compared {
  readonly rows: number;
  readonly breaks: readonly Break[];
  /** Whether the part was read to its end, and so is just what the manifest names. */
  readonly isWhole: boolean;
}

/** Compares at most `limit` rows of a part with the table, after the first `skip`. */
async function comparePart(
  parts: Parts,
  workspaceId: string,
  part: ManifestPart,
  skip: number,
  limit: number,
): Promise<Compared> {
  const { lane } = part;
  const partBreak = (reason: BreakReason): Break => ({
    lane,
    seq: part.first,
    reason,
    entity: { kind: 'archive', id: part.key },
  });
  const table = new RowReader(parts.ledger, workspaceId, Math.min(limit, ROWS_AT_ONCE));
  const breaks: Break[] = [];
  let [read, rows] = [0, 0];
  const isWhole = await telling(partBreak, async () => {
    for await (const bytes of archivedRows(parts.log.archive, part)) {
      read += 1;
      if (read <= skip) continue;
      if (rows === limit) return false;
      const seq = part.first + read - 1;
      const row = await table.row(lane, seq);
      if (row === undefined || Buffer.compare(row.bytes, bytes) !== 0)
        breaks.push({ lane, seq, reason: 'archive_mismatch' });
      rows += 1;
    }
    return true;
  });
  return { rows, breaks: await aboveFloor(parts, workspaceId, breaks), isWhole };
}

function manifestBreak(day: string) {
  return (reason: BreakReason): Break => ({
    lane: PRINCIPAL_LANE,
    seq: 0,
    reason,
    entity: { kind: 'manifest', id: day },
  });
}

/** Carries out `work`; a fault of the archive ends the walk. */
async function telling<T>(breakOf: (reason: BreakReason) => Break, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    throw new ArchiveBreak(breakOf(reasonOf(error)));
  }
}

function reasonOf({ reason }: ArchiveFault): BreakReason {
  if (reason === 'missing') return 'archive_missing';
  return reason === 'unsigned' ? 'bad_signature' : 'archive_mismatch';
}
