import { createHash } from 'node:crypto';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import { BACKUP_TABLES, type BackupTable, backupPrefix, instantName } from './layout.ts';
import type { TableExports } from './table-exports.ts';

export interface BackupParts {
  readonly exports: TableExports;
  readonly trail: AuditTrail;
  readonly clock: Pick<Clock, 'now'>;
  /** The names of the tables. */
  readonly tables: Readonly<Record<BackupTable, string>>;
}

export interface StartedBackup {
  /** Epoch milliseconds. */
  readonly instant: number;
  /** The ARN of each table's export. */
  readonly exports: Readonly<Record<BackupTable, string>>;
}

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
/** Point-in-time recovery is typically five minutes behind (DynamoDB Developer Guide, "Point-in-time recovery: how it works"). */
const SETTLED_MS = 10 * MINUTE_MS;

/**
 * Asks for an export of both tables as of one instant: the last full hour that is ten minutes over. All runs until ten
 * minutes after the next full hour mean the same instant, and so the same two exports: one that died between them is
 * made good by its repetition. Should that come later, or never, a backup with one table is left, which the check tells.
 *
 * Run again, it records again that it asked.
 *
 * @throws VaultError `unavailable`, Error if an export is refused: the run has to be repeated.
 */
export async function startBackup({ exports, trail, clock, tables }: BackupParts): Promise<StartedBackup> {
  const instant = Math.floor((clock.now() - SETTLED_MS) / HOUR_MS) * HOUR_MS;
  const start = (table: BackupTable): Promise<string> => {
    const tableName = tables[table];
    const prefix = `${backupPrefix(instant)}${table}`;
    const token = createHash('sha256')
      .update(JSON.stringify([tableName, prefix]))
      .digest('hex');
    return exports.start({ tableName, instant, prefix, clientToken: token });
  };
  const started = { vault: await start('vault'), audit: await start('audit') };
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'backup'), [
    {
      action: 'backup.started',
      entity: { type: 'backup', id: instantName(instant) },
      result: 'success',
      detail: Object.fromEntries(BACKUP_TABLES.map((table) => [`${table}Export`, exportId(started[table])])),
    },
  ]);
  return { instant, exports: started };
}

/** What follows the table in the ARN of an export. */
function exportId(exportArn: string): string {
  return exportArn.slice(exportArn.lastIndexOf('/') + 1);
}
