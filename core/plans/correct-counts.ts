import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { countKept } from './kept.ts';
import { monthOf } from './month.ts';
import { warnNearLimit } from './near-limit.ts';
import { type PlanName, planOf } from './plan.ts';
import type { PlanCounts } from './plan-counts.ts';

export interface CorrectingParts {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
  readonly alerts: Alerts;
  readonly bookkeeping: Pick<PlanCounts, 'secretCount' | 'setSecretCount'>;
  readonly defaultPlan: PlanName;
}

/**
 * Sets the count of secrets right, each night, and tells of limits that are near. What was made or purged while it was
 * counted may be missing from the count, or be in it twice, until the next night.
 *
 * @param secrets that were counted one by one, the deleted ones included.
 */
export async function correctCounts(
  parts: CorrectingParts,
  workspace: Workspace,
  secrets: number,
): Promise<void> {
  await parts.bookkeeping.setSecretCount(workspace.id, secrets);
  const kept = await countKept(parts, workspace.id);
  const plan = planOf(workspace, parts.defaultPlan);
  const month = monthOf(parts.clock.now());
  for (const limit of ['secrets', 'apiKeys', 'members'] as const)
    await warnNearLimit(parts, { workspaceId: workspace.id, plan, limit, used: kept[limit], month });
}
