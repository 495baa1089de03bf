import * as z from 'zod';
import { getPlan } from '../../../core/plans/get-plan.ts';
import { PLAN_FEATURES, planNameSchema } from '../../../core/plans/plan.ts';
import { guarded } from '../http/route.ts';

const count = z.int().min(0);

const planView = z.object({
  plan: planNameSchema,
  limits: z.object({
    secrets: count,
    apiKeys: count,
    members: count,
    auditRetentionDays: count,
    requestsPerMonth: count,
  }),
  features: z.array(z.enum(PLAN_FEATURES)).readonly(),
  usage: z.object({
    secrets: count,
    apiKeys: count,
    members: count,
    /** By month (UTC), this one first. */
    requests: z.array(z.object({ month: z.string(), count })).readonly(),
  }),
});

export const planRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/plan',
    summary: 'What the plan of the workspace allows, and how much of that is used; requests by month',
    permission: 'plan:read',
    action: 'plan.read',
    responses: [{ status: 200, description: 'The plan and what is used of it', schema: planView }],
    handle: async (_, context, vault) => ({
      status: 200,
      json: (await getPlan(vault, context)) satisfies z.infer<typeof planView>,
    }),
  }),
];
