import { alertId, alertRecordKind } from '../alerts/alert-record.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { inWords } from './demand.ts';
import type { Month } from './month.ts';
import { PLANS, type PlanLimit, type PlanName } from './plan.ts';

/** From this share of a limit on, it is near. */
const NEAR = 0.8;

export type Nearness = 'near' | 'reached';

/** How near somebody is to a limit; `undefined` while there is plenty of room. */
export function nearness(plan: PlanName, limit: PlanLimit, used: number): Nearness | undefined {
  const allowed = PLANS[plan].limits[limit];
  if (used >= allowed) return 'reached';
  return used >= NEAR * allowed ? 'near' : undefined;
}

/** What is used of one limit of a workspace's plan. */
export interface LimitUse {
  readonly workspaceId: string;
  readonly plan: PlanName;
  readonly limit: PlanLimit;
  readonly used: number;
  readonly month: Month;
}

const WHAT: { readonly [limit in PlanLimit]: string } = {
  secrets: 'secrets',
  apiKeys: 'API keys',
  members: 'members',
  auditRetentionDays: 'days of audit rows',
  requestsPerMonth: 'requests in a month',
};

/**
 * Raises an alert when a limit is near or reached. Each limit has one alert a month, told once for either, and not again by
 * whoever comes upon the same later.
 */
export async function warnNearLimit(
  parts: { readonly store: Pick<Store, 'get'>; readonly alerts: Alerts },
  use: LimitUse,
): Promise<void> {
  const { workspaceId, plan, limit, used, month } = use;
  const near = nearness(plan, limit, used);
  if (near === undefined) return;
  const allowed = PLANS[plan].limits[limit];
  const alert = {
    tier: 'warning',
    kind: 'plan_limit_near',
    workspaceId,
    subject: `${limit} ${month}`,
    seen: `The workspace uses ${inWords(used)} of the ${inWords(allowed)} ${WHAT[limit]} that the plan ${plan} allows.`,
    occurrence: near,
    detail: { limit, month, plan, used: String(used), allowed: String(allowed) },
  } as const;
  if (!(await isTold(parts.store, alert))) await parts.alerts.raise(alert);
}

async function isTold(store: Pick<Store, 'get'>, alert: Alert): Promise<boolean> {
  try {
    const record = await store.get(alertRecordKind, alert.workspaceId, alertId(alert));
    return record?.occurrences.some(({ name }) => name === alert.occurrence) ?? false;
  } catch (error) {
    // Better twice than never.
    if (error instanceof VaultError) return false;
    throw error;
  }
}
