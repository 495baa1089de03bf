import { createDynamoClient } from '../aws/dynamo-client.ts';
import { createDynamoRestore } from '../aws/dynamo-restore.ts';
import { createDynamoTableSettings } from '../aws/dynamo-table-settings.ts';
import { createKmsKeys } from '../aws/kms-keys.ts';
import { createS3Client, createS3Staging } from '../aws/s3-archive.ts';
import { createS3Backups } from '../aws/s3-backups.ts';
import { raiseAlert } from '../core/alerts/raise-alert.ts';
import type { BackupFiles } from '../core/backup/backup-files.ts';
import { readBackup } from '../core/backup/read-manifest.ts';
import type { Alert } from '../core/detection/alert.ts';
import { createPasswordHasher } from '../core/identity/passwords.ts';
import { drillArchive } from '../core/restore/drill-archive.ts';
import { restoreDeployment } from '../core/restore/restore-deployment.ts';
import type { RestoreParts } from '../core/restore/restore-parts.ts';
import { surveyBackup } from '../core/restore/survey-backup.ts';
import { composeTables } from '../lambdas/shared/compose.ts';
import { composeLog } from '../lambdas/shared/compose-log.ts';
import { deploymentKeys } from '../lambdas/shared/deployment-keys.ts';
import { readEnv, required } from '../lambdas/shared/env.ts';
import { type BackupPlace, type Order, readArguments, USAGE } from './arguments.ts';
import { checkStage, tablesOf } from './check-stage.ts';
import { checkEnvironment, explain } from './explain.ts';
import { createFolderBackups } from './folder-backups.ts';
import { backupLines, reportLines, stepLine } from './report-restore.ts';

const [WHOLE, BROKEN, FAILED] = [0, 1, 2];

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function run(order: Order): Promise<number> {
  switch (order.command) {
    case 'help':
      say([USAGE]);
      return WHOLE;
    case 'survey': {
      const { files, prefix } = openBackup(order.from);
      const backup = await readBackup({ files }, prefix);
      say(backupLines(backup));
      const { vault, audit } = await surveyBackup(files, backup);
      say([`Read ${vault} items and ${audit} rows: the backup is whole. Nothing was written.`]);
      return WHOLE;
    }
    case 'restore': {
      checkEnvironment(process.env);
      const { files, prefix } = openBackup(order.from);
      const backup = await readBackup({ files }, prefix);
      say(backupLines(backup));
      if (!order.isDrill) checkStage(backup, order.stage);
      const report = await restoreDeployment(compose(order, files), backup, {
        ...order,
        onStep: (step, durationMs) => say([stepLine(step, durationMs)]),
      });
      say(reportLines(report));
      return report.isGood ? WHOLE : BROKEN;
    }
  }
}

function openBackup(place: BackupPlace): { readonly files: BackupFiles; readonly prefix: string } {
  if ('folder' in place) return { files: createFolderBackups(place.folder), prefix: '' };
  return { files: createS3Backups(place.bucket, createS3Client()), prefix: place.prefix };
}

function compose(order: Order & { readonly command: 'restore' }, files: BackupFiles): RestoreParts {
  const { stage, isDrill } = order;
  const names = tablesOf(stage);
  process.env['STAGE'] = stage;
  process.env['VAULT_TABLE'] = names.vaultTable;
  process.env['AUDIT_TABLE'] = names.auditTable;
  const env = readEnv();
  const tables = composeTables(env);
  const log = composeLog(env);
  const archive = isDrill ? drillArchive(log.archive) : log.archive;
  const client = createDynamoClient();
  return {
    ...tables,
    ...log,
    log: { ...log, archive },
    archive,
    staging: createS3Staging(required(env, 'STAGING_BUCKET'), createS3Client()),
    files,
    tables: createDynamoRestore(client, names, tables),
    settings: createDynamoTableSettings(client, names, tables.clock),
    keys: createKmsKeys(),
    deploymentKeys: deploymentKeys(env),
    alerts: { raise: async (alert: Alert) => void (await raiseAlert(tables, alert, 'restore')) },
    dummyHash: createPasswordHasher().dummyHash,
  };
}

try {
  process.exitCode = await run(readArguments(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = FAILED;
}
