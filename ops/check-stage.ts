import type { Backup } from '../core/backup/read-manifest.ts';
import { RestoreRefused } from '../core/restore/restore-refused.ts';

export interface TableNames {
  readonly vaultTable: string;
  readonly auditTable: string;
}

export function tablesOf(stage: string): TableNames {
  return { vaultTable: `lockzero-${stage}-vault`, auditTable: `lockzero-${stage}-audit` };
}

/**
 * A stage has an archive of its own, and a log in it that only goes on from its own rows. So a backup comes back where it
 * is from; anywhere else it can only be tried out.
 *
 * @throws RestoreRefused `other_stage`
 */
export function checkStage({ tables }: Backup, stage: string): void {
  const { vaultTable, auditTable } = tablesOf(stage);
  const [vault, audit] = [tables.vault.tableArn, tables.audit.tableArn].map((arn) => arn.split('/').at(-1));
  if (vault === vaultTable && audit === auditTable) return;
  throw new RestoreRefused(
    'other_stage',
    `The backup is of the tables ${vault} and ${audit}. To bring these back, name their stage with --to-stage. To try the backup out in the stage ${stage}, add --drill: the archive is then only read.`,
  );
}
