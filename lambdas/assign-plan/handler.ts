import middy from '@middy/core';
import * as z from 'zod';
import { assignPlan } from '../../core/plans/assign-plan.ts';
import { PLAN_NAMES, planNameSchema } from '../../core/plans/plan.ts';
import { composeTables } from '../shared/compose.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const env = readEnv();
const parts = { ...composeTables(env), defaultPlan: env.DEFAULT_PLAN };

const orderSchema = z.strictObject({ workspaceId: z.string().min(1), plan: planNameSchema });

/** For operators, who invoke it by hand: gives a workspace another plan. */
export const handler = middy(async (event: unknown) => {
  const order = orderSchema.safeParse(event);
  if (!order.success) {
    throw new Error(
      `Nothing was assigned. Send {"workspaceId": "ws_…", "plan": "…"} with one of the plans ${PLAN_NAMES.join(', ')}.`,
    );
  }
  const assigned = await assignPlan(parts, order.data);
  logger.info('Assigned a plan', { ...assigned });
  return assigned;
});
