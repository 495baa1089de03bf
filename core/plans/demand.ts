import { VaultError } from '../kernel/errors.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { PLAN_NAMES, PLANS, type PlanFeature, type PlanLimit, type PlanName, planOf } from './plan.ts';

const FEATURE_WORDS: { readonly [feature in PlanFeature]: string } = {
  customerKey: 'A key of the customer for values',
  archiveAccess: 'Direct access to the archive',
  scheduledEvidence: 'Scheduled evidence',
  secretsSync: "Sync into the customer's Secrets Manager",
};

/**
 * Refuses what the workspace's plan does not have. A feature that is in use goes on after the plan was changed; only
 * setting it up anew is refused.
 *
 * @throws VaultError `not_in_plan`, naming the plan and those that have the feature.
 */
export function demandFeature(
  workspace: Pick<Workspace, 'plan'>,
  defaultPlan: PlanName,
  feature: PlanFeature,
): void {
  const plan = planOf(workspace, defaultPlan);
  if (PLANS[plan].features.includes(feature)) return;
  const having = PLAN_NAMES.filter((name) => PLANS[name].features.includes(feature));
  throw new VaultError(
    'not_in_plan',
    `${FEATURE_WORDS[feature]} is no part of the plan ${plan}. It is part of: ${having.join(', ')}. Ask your operator for another plan.`,
  );
}
