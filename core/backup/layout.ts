/** The two tables of a vault; a backup has both, as of one instant. */
export const BACKUP_TABLES = ['vault', 'audit'] as const;
export type BackupTable = (typeof BACKUP_TABLES)[number];

/** Where all backups of a deployment are, each in a folder that is named by its instant. */
export const BACKUPS_PREFIX = 'backups/';

/** An instant as folders are named by it: `2026-11-22T01-00-00Z`, without what a file system could trip over. */
export function instantName(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

/** Epoch milliseconds of a name that {@link instantName} writes; undefined for any other text. */
export function parseInstantName(name: string): number | undefined {
  const [, day, hour, minute, second] = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z$/.exec(name) ?? [];
  const milliseconds = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  return Number.isFinite(milliseconds) && instantName(milliseconds) === name ? milliseconds : undefined;
}

/** The folder of the backup of an instant; ends in a slash. */
export function backupPrefix(instant: number): string {
  return `${BACKUPS_PREFIX}${instantName(instant)}/`;
}
