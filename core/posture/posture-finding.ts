import { hash } from 'node:crypto';
import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { dayOf, type Finding, findingKind, isOverdue } from '../findings/finding.ts';
import { type FindingParts, findingChanges, findingEvent, findingFacts } from '../findings/finding-parts.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { create, update } from '../kernel/entity.ts';
import { DAY_MS, timestamp } from '../kernel/timestamps.ts';
import type { PostureCheck } from './check.ts';

/** Who opens and closes findings by itself, as the trail names it. */
export const SNAPSHOT_JOB = 'snapshot';

const HOLDS_AGAIN = 'The check holds again.';

/** A check has one finding in a workspace, however often it fails: two runs at once meet at one entity. */
export function postureFindingId(workspaceId: string, check: string): string {
  return `fnd_${hash('sha256', canonicalJson([workspaceId, check]), 'hex').slice(0, 32)}`;
}

/**
 * Brings the finding of a check to what the check says now.
 *
 * It fails: a finding is opened; one that is open gets the new evidence; one that was closed, by whomever, opens again; one
 * that a person accepted stays so until its date is over. It holds: its finding, if there is one, is closed. What people
 * changed otherwise, such as title, severity and owner, stays.
 *
 * @param evidence what was seen; `undefined` when the check holds.
 */
export async function settlePostureFinding(
  { store, trail, clock }: FindingParts,
  workspaceId: string,
  check: PostureCheck,
  evidence: string | undefined,
): Promise<void> {
  const id = postureFindingId(workspaceId, check.name);
  const origin = systemOrigin(workspaceId, SNAPSHOT_JOB);
  await retryRefused(async () => {
    const now = clock.now();
    const known = await store.get(findingKind, workspaceId, id);
    if (known === undefined) {
      if (evidence === undefined) return;
      const made = create(findingKind, firstTime(workspaceId, id, check, evidence, now));
      await trail.commit(origin, [
        findingEvent('finding.opened', id, { detail: findingFacts(made.entity), changes: [made] }),
      ]);
      return;
    }
    const patch = evidence === undefined ? whenItHolds(known, now) : whenItFails(known, check, evidence, now);
    if (patch === undefined) return;
    const change = update(findingKind, known, {
      ...patch,
      updatedAt: timestamp(now),
      updatedBy: SNAPSHOT_JOB,
    });
    const detail = { ...findingChanges(known, change.entity), check: check.name };
    await trail.commit(origin, [
      findingEvent(actionOf(known, change.entity), id, { detail, changes: [change] }),
    ]);
  });
}

function firstTime(workspaceId: string, id: string, check: PostureCheck, evidence: string, now: number) {
  return {
    workspaceId,
    id,
    title: check.title,
    description: check.advice,
    severity: check.severity,
    ...opened(check, now),
    source: 'posture',
    check: check.name,
    evidence,
    createdAt: timestamp(now),
    createdBy: SNAPSHOT_JOB,
    updatedAt: timestamp(now),
    updatedBy: SNAPSHOT_JOB,
  } as const satisfies Omit<Finding, 'kind' | 'revision'>;
}

function opened({ dueDays }: PostureCheck, now: number) {
  return { state: 'open', dueDate: dayOf(now + dueDays * DAY_MS) } as const;
}

function whenItHolds({ state }: Finding, now: number) {
  if (state === 'closed') return undefined;
  return { state: 'closed', reason: HOLDS_AGAIN, closedAt: timestamp(now) } as const;
}

function whenItFails(known: Finding, check: PostureCheck, evidence: string, now: number) {
  const isOver = known.state === 'closed' || (known.state === 'accepted' && isOverdue(known, now));
  if (isOver) return { ...opened(check, now), evidence, reason: undefined, closedAt: undefined };
  return evidence === known.evidence ? undefined : { evidence };
}

function actionOf(before: Finding, after: Finding) {
  if (before.state === after.state) return 'finding.updated';
  return after.state === 'closed' ? 'finding.closed' : 'finding.opened';
}
