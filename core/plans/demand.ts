import { VaultError } from '../kernel/errors.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { Month } from './month.ts';
import { PLAN_NAMES, PLANS, type PlanFeature, type PlanLimit, type PlanName, planOf } from './plan.ts';

/** What is counted as it is made, and how room is made again. */
const COUNTED = {
  secrets: ['secrets, the deleted ones included', 'Purge what nobody needs'],
  apiKeys: ['API keys that work', 'Revoke keys that nobody uses'],
  members: ['members and invited people', 'Remove members or revoke invitations'],
} as const satisfies { readonly [limit in PlanLimit]?: readonly [what: string, repair: string] };

export type CountedLimit = keyof typeof COUNTED;

const FEATURES: { readonly [feature in PlanFeature]: string } = {
  customerKey: 'A key of the customer for values',
  scheduledEvidence: 'Scheduled evidence',
  secretsSync: "Sync into the customer's Secrets Manager",
};

/**
 * Refuses what the workspace's plan does not have. To be asked where a feature is set up: one that is in use goes on after
 * the plan was changed.
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
    `${FEATURES[feature]} is not in the plan ${plan}, but in: ${having.join(', ')}. Ask your operator for one of these.`,
  );
}

/**
 * Refuses to make more than the workspace's plan allows. To be asked before anything is written.
 *
 * Limits are soft: what is used is read, not reserved. Requests that are under way at the same time do not see each other,
 * so each can take what one of them was allowed, and together they exceed the limit by at most what they make: one each, an
 * import 20. Whatever comes after them is refused.
 *
 * @param used how many there are now.
 * @param more how many are to be made.
 * @throws VaultError `plan_limit_exceeded`
 */
export function demandRoom(
  workspace: Pick<Workspace, 'plan'>,
  defaultPlan: PlanName,
  limit: CountedLimit,
  { used, more = 1 }: { readonly used: number; readonly more?: number },
): void {
  const plan = planOf(workspace, defaultPlan);
  const allowed = PLANS[plan].limits[limit];
  if (used + more <= allowed) return;
  const [what, repair] = COUNTED[limit];
  throw new VaultError(
    'plan_limit_exceeded',
    `The plan ${plan} allows ${inWords(allowed)} ${what}. There are ${inWords(used)}, and this would add ${inWords(more)}. ${repair}, or ask your operator for another plan.`,
  );
}

/**
 * Refuses to keep audit rows for longer than the workspace's plan allows. A workspace that kept them for longer before its
 * plan was changed may go on, or come down in steps.
 *
 * @throws VaultError `plan_limit_exceeded`
 */
export function demandRetention(
  workspace: Pick<Workspace, 'plan' | 'auditRetentionDays'>,
  defaultPlan: PlanName,
  days: number,
): void {
  const plan = planOf(workspace, defaultPlan);
  const allowed = PLANS[plan].limits.auditRetentionDays;
  const now = workspace.auditRetentionDays ?? 0;
  if (days <= Math.max(allowed, now)) return;
  throw new VaultError(
    'plan_limit_exceeded',
    `The plan ${plan} allows to keep audit rows for ${inWords(allowed)} days, and ${inWords(days)} were asked for. Ask for fewer, or ask your operator for another plan.`,
  );
}

/** What the requests over a month's limit are told. */
export function tooManyRequests(plan: PlanName, month: Month, used: number): VaultError {
  const allowed = inWords(PLANS[plan].limits.requestsPerMonth);
  return new VaultError(
    'plan_limit_exceeded',
    `The plan ${plan} allows ${allowed} requests in a month, and ${month} has had ${inWords(used)}. Secrets can be used again when the month is over (UTC), or a minute after your operator has assigned another plan.`,
  );
}

/** With commas between the thousands. */
export function inWords(number: number): string {
  return number.toLocaleString('en-US');
}
