import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { openWorkspace } from '../workspaces/in-open-workspace.ts';
import { countRequests, type MonthCount, type RequestCountParts } from './count-requests.ts';
import { countKept, type Kept } from './kept.ts';
import { monthsUntil } from './month.ts';
import { PLANS, type Plan, type PlanName, planOf } from './plan.ts';
import type { PlanCounts } from './plan-counts.ts';

export interface PlanInUse extends Plan {
  readonly plan: PlanName;
  readonly usage: Kept & {
    /** Of this month and the ones before it, newest first. */
    readonly requests: readonly MonthCount[];
  };
}

interface Parts extends RequestCountParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly bookkeeping: PlanCounts;
  readonly defaultPlan: PlanName;
}

/** This month and eleven before it. */
const MONTHS = 12;

/** What the caller's workspace may have and do, and how much of that it has and did. */
export async function getPlan(parts: Parts, context: RequestContext): Promise<PlanInUse> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'plan:read');
  const workspace = await openWorkspace(parts.store, workspaceId);
  const months = monthsUntil(parts.clock.now(), MONTHS, Date.parse(workspace.createdAt));
  const [kept, requests] = await Promise.all([
    countKept(parts, workspaceId),
    countRequests(parts, workspaceId, months),
  ]);
  await parts.trail.commit(originOf(context), [
    { action: 'plan.read', entity: { type: 'workspace', id: workspaceId }, result: 'success' },
  ]);
  const plan = planOf(workspace, parts.defaultPlan);
  return { plan, ...PLANS[plan], usage: { ...kept, requests } };
}
