import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { dayOf } from '../archive/day.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create, remove, update } from '../kernel/entity.ts';
import { notFound } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandFeature } from '../plans/demand.ts';
import type { PlanName } from '../plans/plan.ts';
import { inOpenWorkspace } from '../workspaces/in-open-workspace.ts';
import { type EvidenceSchedule, evidenceScheduleKind } from './evidence-schedule.ts';
import { periodOf, type Rhythm } from './period.ts';

export interface ScheduleParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly defaultPlan: PlanName;
}

/** The workspace's schedule; undefined where nothing is exported. */
export async function getEvidenceSchedule(
  { store, trail }: Pick<ScheduleParts, 'store' | 'trail'>,
  context: RequestContext,
): Promise<EvidenceSchedule | undefined> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'evidence_schedule:read');
  const schedule = await readSchedule(store, workspaceId);
  await trail.commit(originOf(context), [
    { action: 'evidence_schedule.read', entity: entityOf(workspaceId), result: 'success' },
  ]);
  return schedule;
}

/**
 * Has evidence exported after each week or month, from the one on that is under way. Another rhythm goes on where the one
 * before it was: a day may come in both, and none is left out.
 *
 * @throws VaultError `not_in_plan`; `precondition_failed`; `concurrent_change`.
 */
export function setEvidenceSchedule(
  { store, trail, clock, defaultPlan }: ScheduleParts,
  context: RequestContext,
  { every }: { readonly every: Rhythm },
): Promise<EvidenceSchedule> {
  const { workspaceId, id: principalId } = context.principal;
  authorize(context.principal, 'evidence_schedule:manage');
  return inOpenWorkspace(store, workspaceId, async (stillOpen, workspace) => {
    demandFeature(workspace, defaultPlan, 'scheduledEvidence');
    const earlier = await readSchedule(store, workspaceId);
    checkPrecondition(context.precondition, earlier);
    const now = clock.now();
    const { from: nextFrom } = periodOf(every, earlier?.nextFrom ?? dayOf(now));
    const content = { every, nextFrom, updatedAt: timestamp(now), updatedBy: principalId };
    const isOther = earlier?.every !== every;
    const change =
      earlier === undefined
        ? create(evidenceScheduleKind, { workspaceId, id: workspaceId, ...content })
        : update(evidenceScheduleKind, earlier, { ...content, ...(isOther ? { begun: undefined } : {}) });
    await trail.commit(originOf(context), [
      {
        action: 'evidence_schedule.updated',
        entity: entityOf(workspaceId),
        result: 'success',
        detail: { every, nextFrom },
        changes: [change, stillOpen],
      },
    ]);
    return change.entity;
  });
}

/**
 * Has no more evidence exported. What was exported stays as long as the archive keeps it.
 *
 * @throws VaultError `not_found`; `precondition_failed`; `concurrent_change`.
 */
export async function deleteEvidenceSchedule(
  { store, trail }: Pick<ScheduleParts, 'store' | 'trail'>,
  context: RequestContext,
): Promise<void> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'evidence_schedule:manage');
  const schedule = await readSchedule(store, workspaceId);
  checkPrecondition(context.precondition, schedule);
  if (schedule === undefined) throw notFound('evidence schedule');
  await trail.commit(originOf(context), [
    {
      action: 'evidence_schedule.deleted',
      entity: entityOf(workspaceId),
      result: 'success',
      changes: [remove(evidenceScheduleKind, schedule)],
    },
  ]);
}

export function readSchedule(store: Store, workspaceId: string): Promise<EvidenceSchedule | undefined> {
  return store.get(evidenceScheduleKind, workspaceId, workspaceId);
}

export function entityOf(workspaceId: string) {
  return { type: 'evidence_schedule', id: workspaceId };
}
