import middy from '@middy/core';
import { sweepTallies } from '../../core/identity/sweep-tallies.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const vault = composeTables(readEnv());

/** Every minute: turns the counted repeats of failed authentications into audit rows. */
export const handler = middy(async () => {
  const rows = await sweepTallies(vault);
  if (rows > 0) logger.info('Recorded repeated failures', { rows });
  return { rows };
});
