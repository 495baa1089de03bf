import middy from '@middy/core';
import { instantName } from '../../core/backup/layout.ts';
import { startBackup } from '../../core/backup/start-backup.ts';
import { composeBackup } from '../shared/compose-backup.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const parts = composeBackup(readEnv());

/** Nightly: asks DynamoDB for an export of both tables as of the same instant. A run that fails is repeated. */
export const handler = middy(async () => {
  const { instant, exports } = await startBackup(parts);
  const summary = { instant: instantName(instant), exports };
  logger.info('Started a backup', summary);
  return summary;
});
