import middy from '@middy/core';
import { VaultError } from '../../core/kernel/errors.ts';
import { purgeExpired } from '../../core/secrets/purge-expired.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const vault = composeTables(readEnv());

/** Daily: destroys the secrets whose recovery window is over. Fails if any could not be, after doing the rest. */
export const handler = middy(async () => {
  const { purged, failures } = await purgeExpired(vault);
  for (const { workspaceId, error } of failures) {
    logger.error('A deleted secret was not purged', {
      workspaceId,
      code: error instanceof VaultError ? error.code : 'internal',
    });
  }
  logger.info('Purged deleted secrets', { purged, failures: failures.length });
  if (failures.length > 0)
    throw new Error(`${failures.length} deleted secrets or workspaces could not be purged.`);
  return { purged };
});
