import type { Alerts } from '../detection/alert.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { countRequests, type RequestCountParts } from './count-requests.ts';
import { tooManyRequests } from './demand.ts';
import { type Month, monthOf } from './month.ts';
import { type Nearness, nearness, warnNearLimit } from './near-limit.ts';
import { type PlanName, planOf } from './plan.ts';

/** How long what an instance knows of a workspace's requests is fresh. */
export const FRESH_MS = 60_000;
/** Workspaces kept in mind; one that fell out is counted anew. */
const KNOWN_WORKSPACES = 1_000;

/**
 * The monthly limit of requests, as one instance sees it. It counts every {@link FRESH_MS}, so the limit is exceeded by what
 * all instances serve in that time.
 *
 * It stands for an agreement and not for safety: where it cannot be found out, requests are let in.
 */
export interface RequestLimit {
  /**
   * Looks at the table only where nothing is known of the month, or where a refusal might be out of date.
   *
   * @throws VaultError `plan_limit_exceeded`
   */
  demand(workspaceId: string): Promise<void>;
  /**
   * Counts anew what is not fresh any more: beside a request, so that none has to wait for it.
   *
   * @throws VaultError when that failed; what was known stays.
   */
  keepFresh(workspaceId: string): Promise<void>;
}

interface Parts extends RequestCountParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly alerts: Alerts;
  readonly defaultPlan: PlanName;
}

interface Known {
  /** When it was counted, in epoch milliseconds. */
  readonly at: number;
  readonly month: Month;
  readonly plan: PlanName;
  readonly used: number;
  readonly near: Nearness | undefined;
}

export function createRequestLimit(parts: Parts): RequestLimit {
  const knownOf = new Map<string, Known>();
  const counting = new Map<string, Promise<Known>>();

  const isFresh = ({ at, month }: Known): boolean => {
    const now = parts.clock.now();
    return month === monthOf(now) && Math.abs(now - at) < FRESH_MS;
  };

  const count = async (workspaceId: string): Promise<Known> => {
    const known = await look(parts, workspaceId);
    const before = knownOf.get(workspaceId);
    knownOf.delete(workspaceId);
    knownOf.set(workspaceId, known);
    const oldest = knownOf.keys().next().value;
    if (knownOf.size > KNOWN_WORKSPACES && oldest !== undefined) knownOf.delete(oldest);
    const isTold = before?.month === known.month && before.near === known.near;
    if (!isTold) await warnNearLimit(parts, { ...known, workspaceId, limit: 'requestsPerMonth' });
    return known;
  };

  /** One count at a time for each workspace, for all who want it. */
  const countOnce = (workspaceId: string): Promise<Known> => {
    const underWay = counting.get(workspaceId);
    if (underWay !== undefined) return underWay;
    const begun = count(workspaceId).finally(() => counting.delete(workspaceId));
    counting.set(workspaceId, begun);
    return begun;
  };

  return {
    async demand(workspaceId) {
      let known = knownOf.get(workspaceId);
      if (known?.month !== monthOf(parts.clock.now())) known = undefined;
      if (known === undefined || (known.near === 'reached' && !isFresh(known))) {
        known = await countOnce(workspaceId).catch((error) => {
          if (error instanceof VaultError) return known;
          throw error;
        });
      }
      if (known?.near === 'reached') throw tooManyRequests(known.plan, known.month, known.used);
    },

    async keepFresh(workspaceId) {
      const known = knownOf.get(workspaceId);
      if (known === undefined || !isFresh(known)) await countOnce(workspaceId);
    },
  };
}

async function look(parts: Parts, workspaceId: string): Promise<Known> {
  const at = parts.clock.now();
  const month = monthOf(at);
  const [workspace, [counted]] = await Promise.all([
    parts.store.get(workspaceKind, workspaceId, workspaceId),
    countRequests(parts, workspaceId, [month]),
  ]);
  const plan = planOf(workspace ?? {}, parts.defaultPlan);
  const used = counted?.count ?? 0;
  return { at, month, plan, used, near: nearness(plan, 'requestsPerMonth', used) };
}
