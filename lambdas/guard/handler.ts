import middy from '@middy/core';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { guardTables } from '../../core/detection/guard-tables.ts';
import { watchRows } from '../../core/detection/watch-rows.ts';
import { createInsistingAlerts } from '../shared/alerts.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';
import { tableChangeOf } from '../shared/table-changes.ts';

const env = readEnv();
const vault = composeTables(env);
const parts = { ...vault, alerts: createInsistingAlerts(vault, 'guard') };

/**
 * Woken by the streams of both tables: raises an alert for what was changed behind the vault's back, and for events that
 * are alarming by themselves. A batch that cannot be judged, or whose alerts cannot be recorded, fails as a whole and
 * comes again: an alert may come twice, but none is lost.
 */
export const handler = middy(async ({ Records }: DynamoDBStreamEvent) => {
  const changes = Records.flatMap((record) => tableChangeOf(env, record) ?? []);
  await watchRows(parts, changes);
  const findings = await guardTables(parts, changes);
  if (findings > 0) logger.error('The tables were changed behind the vault’s back', { findings });
  return { findings };
});
