import middy from '@middy/core';
import { purgeExpired } from '../../core/secrets/purge-expired.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const vault = composeTables(readEnv());

/** Daily: destroys the secrets whose recovery window is over. */
export const handler = middy(async () => {
  const purged = await purgeExpired(vault);
  logger.info('Purged deleted secrets', { purged });
  return { purged };
});
