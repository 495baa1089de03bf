import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alerts, AlertTier } from '../detection/alert.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import { BackupFault } from './backup-fault.ts';
import { BACKUP_TABLES, type BackupTable, backupPrefix, instantName } from './layout.ts';
import { type Backup, listBackups, type ManifestParts, readBackup } from './read-manifest.ts';

export interface CheckParts extends ManifestParts {
  readonly trail: AuditTrail;
  readonly alerts: Alerts;
  readonly clock: Pick<Clock, 'now'>;
  /** The names of the tables that are backed up. */
  readonly tables: Readonly<Record<BackupTable, string>>;
}

export interface BackupVerdict {
  /** `stale`: there is no whole backup, or it is too old. `suspect`: it is fresh, but something is wrong beside it or with it. */
  readonly status: 'good' | 'stale' | 'suspect';
  /** The newest whole backup, and how long ago its instant was, in seconds. */
  readonly newest?: { readonly instant: number; readonly ageSeconds: number; readonly items: ItemCounts };
  /** What is wrong, worst first. */
  readonly findings: readonly Finding[];
}

export type ItemCounts = Readonly<Record<BackupTable, number>>;

export interface Finding {
  readonly tier: Exclude<AlertTier, 'info'>;
  readonly message: string;
}

const HOUR_MS = 60 * 60 * 1000;
export const MAX_BACKUP_AGE_MS = 25 * HOUR_MS;
/** A backup may be under way for so long after its instant. */
const PATIENCE_MS = 6 * HOUR_MS;
/** Folders looked at, newest first: two months of nightly backups. */
const MAX_LOOKED_AT = 60;
/** A table that holds less than this share of what it held the time before lost something. */
const MIN_SHARE = 0.5;
/** Of fewer items, half may go on an ordinary day. */
const MIN_COMPARED_ITEMS = 100;

/**
 * Judges the backups: finds the newest that is whole, and tells its age, what is wrong with newer ones, and whether it
 * holds far less than the one before it. Raises `backup_stale` and `backup_incomplete`, and records the verdict.
 *
 * @throws VaultError `unavailable` when the backups cannot be read, or the verdict not be recorded.
 */
export async function checkBackup(parts: CheckParts): Promise<BackupVerdict> {
  const verdict = await judge(parts);
  await raise(parts.alerts, verdict);
  await record(parts.trail, verdict);
  return verdict;
}

async function judge(parts: CheckParts): Promise<BackupVerdict> {
  const now = parts.clock.now();
  const instants = await listBackups(parts);
  const findings: Finding[] = instants
    .filter((instant) => instant > now)
    .slice(0, 1)
    .map((instant) => ({
      tier: 'critical',
      message: `The backup ${instantName(instant)} is dated in the future: the backup job did not make it.`,
    }));
  const whole: Backup[] = [];
  for (const instant of instants.filter((each) => each <= now).slice(0, MAX_LOOKED_AT)) {
    if (whole.length === 2) break;
    const found = await readOrFinding(parts, instant);
    if ('instant' in found) whole.push(found);
    else if (whole.length === 0 && !mayBeUnderWay(found, now - instant)) findings.push(found);
  }
  const [newest, before] = whole;
  if (newest !== undefined && before !== undefined) findings.push(...shrunkTables(newest, before));
  findings.sort((a, b) => Number(b.tier === 'critical') - Number(a.tier === 'critical'));
  if (newest === undefined) return { status: 'stale', findings };
  const age = now - newest.instant;
  return {
    status: age > MAX_BACKUP_AGE_MS ? 'stale' : findings.length > 0 ? 'suspect' : 'good',
    newest: { instant: newest.instant, ageSeconds: Math.floor(age / 1000), items: itemsOf(newest) },
    findings,
  };
}

/** What is not finished may be finished later; nothing else that is wrong mends itself. */
function mayBeUnderWay({ tier }: Finding, age: number): boolean {
  return tier === 'warning' && age < PATIENCE_MS;
}

/** The backup of an instant, if it is whole and what its folder says. */
async function readOrFinding(parts: CheckParts, instant: number): Promise<Backup | Finding> {
  const prefix = backupPrefix(instant);
  try {
    const backup = await readBackup(parts, prefix);
    if (backup.instant !== instant) {
      throw new BackupFault('contradictory', prefix, 'It is as of another instant than its folder says.');
    }
    for (const table of BACKUP_TABLES) {
      if (!backup.tables[table].tableArn.endsWith(`:table/${parts.tables[table]}`)) {
        throw new BackupFault('contradictory', prefix, `It does not hold the table ${parts.tables[table]}.`);
      }
    }
    return backup;
  } catch (error) {
    if (!(error instanceof BackupFault)) throw error;
    // An export that failed has no summary. What does not fit together was spoiled after it was written.
    return { tier: error.reason === 'unfinished' ? 'warning' : 'critical', message: error.message };
  }
}

/** Retention takes rows away, and people delete; neither halves a table in a day. */
function shrunkTables(newest: Backup, before: Backup): Finding[] {
  return BACKUP_TABLES.flatMap((table): Finding[] => {
    const [now, then] = [newest.tables[table].itemCount, before.tables[table].itemCount];
    if (then < MIN_COMPARED_ITEMS || now >= then * MIN_SHARE) return [];
    const message = `The table ${table} has ${now} items in the backup ${instantName(newest.instant)}, and had ${then} in ${instantName(before.instant)}.`;
    return [{ tier: 'critical', message }];
  });
}

function itemsOf({ tables }: Backup): ItemCounts {
  return { vault: tables.vault.itemCount, audit: tables.audit.itemCount };
}

async function raise(alerts: Alerts, verdict: BackupVerdict): Promise<void> {
  const { status, newest, findings } = verdict;
  const about = { workspaceId: PLATFORM_WORKSPACE, subject: 'backup', detail: factsOf(verdict) };
  if (status === 'stale') {
    const seen =
      newest === undefined
        ? 'There is no whole backup of the tables.'
        : `The newest whole backup is ${Math.floor(newest.ageSeconds / 3600)} hours old.`;
    const usual = 'A backup is made every night, so none is older than 25 hours.';
    await alerts.raise({ ...about, tier: 'critical', kind: 'backup_stale', seen, usual });
  }
  const [worst] = findings;
  if (worst === undefined) return;
  const seen = worst.message.slice(0, 500);
  const usual = 'A backup holds both tables as of one instant, whole, a few hours after that instant.';
  await alerts.raise({ ...about, tier: worst.tier, kind: 'backup_incomplete', seen, usual });
}

async function record(trail: AuditTrail, verdict: BackupVerdict): Promise<void> {
  const { status, newest } = verdict;
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'backup-check'), [
    {
      action: 'backup.checked',
      entity: { type: 'backup', id: newest === undefined ? '-' : instantName(newest.instant) },
      result: status === 'good' ? 'success' : 'failure',
      detail: { status, ...factsOf(verdict) },
    },
  ]);
}

function factsOf({ newest, findings }: BackupVerdict): Record<string, string> {
  return {
    findings: String(findings.length),
    ...(newest === undefined
      ? {}
      : {
          newest: instantName(newest.instant),
          ageSeconds: String(newest.ageSeconds),
          vaultItems: String(newest.items.vault),
          auditItems: String(newest.items.audit),
        }),
  };
}
