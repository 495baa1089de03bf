import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import { underLease, type Worked } from '../verification/under-lease.ts';
import { inTurn } from '../workspaces/in-turn.ts';
import { tenants } from '../workspaces/tenants.ts';
import { dayNumber } from './last-seen.ts';
import { type AccessParts, lookAtAccess } from './look-at-access.ts';
import { reviewDue } from './review-due.ts';
import type { ReviewState, ReviewStates } from './review-state.ts';

export interface ReviewParts extends AccessParts {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly alerts: Alerts;
  readonly reviews: ReviewStates;
}

const NEW: ReviewState = { version: 0, leaseUntil: 0, failures: 0, seen: {} };

/**
 * Reviews once a day who has access to a workspace. The alert is raised first, for an occurrence, then the event is
 * written, then it is remembered that this day is done: whoever repeats it raises nothing twice, and leaves one more row at
 * most.
 */
export function reviewAccess(parts: ReviewParts, workspaceId: string): Promise<Worked<ReviewState>> {
  const { clock, trail, alerts } = parts;
  const state = parts.reviews(workspaceId);
  const now = clock.now();
  const today = dayNumber(now);
  return underLease(
    clock,
    { read: async () => (await state.read()) ?? NEW, replace: (next: ReviewState) => state.replace(next) },
    async (known) => (known.reviewed === today ? undefined : known),
    async (leased) => {
      const { since = today } = leased;
      const { seen, ...found } = await lookAtAccess(parts, workspaceId, { since, seen: leased.seen }, now);
      const alert = reviewDue(workspaceId, { ...found, seen }, now);
      if (alert !== undefined) await alerts.raise(alert);
      await trail.commit(systemOrigin(workspaceId, 'access-review'), [
        {
          action: 'access.reviewed',
          entity: { type: 'workspace', id: workspaceId },
          result: 'success',
          detail: {
            keys: String(found.keys),
            members: String(found.members),
            dormantKeys: String(found.dormantKeys.count),
            dormantMembers: String(found.dormantMembers.count),
            keysWithoutExpiry: String(found.keysWithoutExpiry.count),
            ownersWithoutMfa: String(found.ownersWithoutMfa.count),
          },
        },
      ]);
      return { ...leased, since, reviewed: today, seen };
    },
  );
}

export interface WorkspaceReviewed {
  readonly workspaceId: string;
  readonly status: Worked<ReviewState>['status'];
  readonly error?: unknown;
}

/**
 * Reviews every workspace once today; a workspace that fails keeps no other from its turn.
 *
 * @param mayGoOn asked before each workspace; whatever is left is for the next run.
 */
export async function* reviewDeployment(
  parts: ReviewParts,
  mayGoOn: () => boolean,
): AsyncGenerator<WorkspaceReviewed> {
  for (const workspaceId of inTurn(await tenants(parts.store), parts.clock.now())) {
    if (!mayGoOn()) return;
    const worked = await reviewAccess(parts, workspaceId);
    const { status } = worked;
    yield { workspaceId, status, ...(worked.status === 'failed' ? { error: worked.error } : {}) };
  }
}
