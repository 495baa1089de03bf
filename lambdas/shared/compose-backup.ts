import { createDynamoExports, createExportClient } from '../../aws/dynamo-exports.ts';
import { createS3Client } from '../../aws/s3-archive.ts';
import { createS3Backups } from '../../aws/s3-backups.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { type Env, required } from './env.ts';

/** What asks for exports. */
export function composeBackup(env: Env) {
  const target = { bucket: required(env, 'BACKUP_BUCKET'), keyArn: required(env, 'BACKUP_KEY_ARN') };
  const tables = createExportClient();
  const exporter = env.EXPORT_ENDPOINT === undefined ? tables : createExportClient(env.EXPORT_ENDPOINT);
  return {
    ...composeTables(env),
    exports: createDynamoExports(target, tables, exporter),
    tables: { vault: env.VAULT_TABLE, audit: env.AUDIT_TABLE },
  };
}

/** What looks at them afterwards. */
export function composeBackupCheck(env: Env) {
  const vault = composeTables(env);
  return {
    ...vault,
    files: createS3Backups(required(env, 'BACKUP_BUCKET'), createS3Client()),
    alerts: createAlerts(vault, 'backup-check'),
    tables: { vault: env.VAULT_TABLE, audit: env.AUDIT_TABLE },
  };
}
