import type { BackupFiles } from '../backup/backup-files.ts';
import { BACKUP_TABLES, type BackupTable } from '../backup/layout.ts';
import type { Backup } from '../backup/read-manifest.ts';

/** How many lines each table's files have. */
export type Survey = Readonly<Record<BackupTable, number>>;

/**
 * Reads a whole backup without writing anything: every file is unpacked and compared with its checksum, and its items are
 * counted.
 *
 * @throws BackupFault for a file that is not what its manifest says; VaultError `unavailable`.
 */
export async function surveyBackup(files: Pick<BackupFiles, 'lines'>, backup: Backup): Promise<Survey> {
  const counts = { vault: 0, audit: 0 };
  for (const table of BACKUP_TABLES) {
    for (const file of backup.tables[table].files) {
      for await (const line of files.lines(file)) counts[table] += Number(line.length > 0);
    }
  }
  return counts;
}
