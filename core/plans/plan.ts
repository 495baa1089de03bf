import * as z from 'zod';

export const PLAN_NAMES = ['standard', 'compliance', 'enterprise'] as const;
export const planNameSchema = z.enum(PLAN_NAMES);
export type PlanName = z.infer<typeof planNameSchema>;

/** What a workspace may have of something at most. */
export interface PlanLimits {
  /** Secrets, the deleted ones included until they are purged: they can be restored. */
  readonly secrets: number;
  /** API keys that are neither revoked nor expired. A rotated one counts no more, its successor does; honeypots never do. */
  readonly apiKeys: number;
  /** Members, and people who have an open invitation. */
  readonly members: number;
  /** For how many days the workspace may ask the table to keep audit rows. */
  readonly auditRetentionDays: number;
  /** Rows of what principals do, in a calendar month (UTC). */
  readonly requestsPerMonth: number;
}

export type PlanLimit = keyof PlanLimits;

export const PLAN_FEATURES = ['customerKey', 'scheduledEvidence', 'secretsSync'] as const;
export type PlanFeature = (typeof PLAN_FEATURES)[number];

export interface Plan {
  readonly limits: PlanLimits;
  readonly features: readonly PlanFeature[];
}

/** The plans, from the smallest to the largest: each has all that the one before it has. */
export const PLANS: { readonly [name in PlanName]: Plan } = {
  standard: {
    limits: {
      secrets: 1_000,
      apiKeys: 50,
      members: 25,
      auditRetentionDays: 365,
      requestsPerMonth: 1_000_000,
    },
    features: [],
  },
  compliance: {
    limits: {
      secrets: 10_000,
      apiKeys: 250,
      members: 250,
      auditRetentionDays: 2_557,
      requestsPerMonth: 10_000_000,
    },
    features: ['scheduledEvidence'],
  },
  enterprise: {
    limits: {
      secrets: 100_000,
      apiKeys: 2_500,
      members: 5_000,
      auditRetentionDays: 2_557,
      requestsPerMonth: 100_000_000,
    },
    features: PLAN_FEATURES,
  },
};

/** The plan that a workspace has: its own, or else the deployment's default. */
export function planOf(workspace: { readonly plan?: PlanName | undefined }, defaultPlan: PlanName): PlanName {
  return workspace.plan ?? defaultPlan;
}
