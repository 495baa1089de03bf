import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { update } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { type PlanName, planOf } from './plan.ts';

export interface AssignedPlan {
  readonly workspaceId: string;
  readonly plan: PlanName;
  readonly previous: PlanName;
}

/**
 * Gives a workspace another plan. Also one that allows less than the workspace has: nothing is removed then and what is set
 * up goes on, but nothing more can be made until there is room. Assigned once more, a plan stays, and leaves no row.
 *
 * @throws VaultError `not_found` for a workspace that is not there or was deleted; `concurrent_change`; `unavailable`, and
 * then the plan may be assigned or not: repeat it.
 */
export function assignPlan(
  parts: { readonly store: Store; readonly trail: AuditTrail; readonly defaultPlan: PlanName },
  { workspaceId, plan }: { readonly workspaceId: string; readonly plan: PlanName },
): Promise<AssignedPlan> {
  return retryRefused(async () => {
    const workspace = await openWorkspace(parts.store, workspaceId);
    const previous = planOf(workspace, parts.defaultPlan);
    if (workspace.plan !== plan) {
      await parts.trail.commit(systemOrigin(workspaceId, 'assign-plan'), [
        {
          action: 'workspace.plan_assigned',
          entity: { type: 'workspace', id: workspaceId },
          result: 'success',
          detail: { plan, previous },
          changes: [update(workspaceKind, workspace, { plan })],
        },
      ]);
    }
    return { workspaceId, plan, previous };
  });
}
