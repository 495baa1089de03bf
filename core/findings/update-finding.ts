import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { update } from '../kernel/entity.ts';
import { invalid, VaultError } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { dayOf, type Finding, type FindingState, findingKind, type Severity } from './finding.ts';
import {
  demandMember,
  type FindingParts,
  findFinding,
  findingChanges,
  findingEvent,
} from './finding-parts.ts';

/** What to change; null takes a field away. */
export interface FindingPatch {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly severity?: Severity | undefined;
  readonly owner?: string | null | undefined;
  readonly dueDate?: string | null | undefined;
  readonly state?: FindingState | undefined;
  readonly reason?: string | undefined;
}

/**
 * Changes a finding, accepts it, closes it or opens it again. A closed one can only be opened again; between the other
 * states every step is possible. Accepting and closing need a reason, accepting a date besides, until when.
 *
 * While people decide, the snapshot goes on writing down what it sees. So a commit that was refused is tried again on what
 * is there then, unless `If-Match` says which revision was decided on. What changes nothing leaves a row that it was read.
 *
 * @throws VaultError `finding_closed`, `invalid_request`, `precondition_failed`
 */
export async function updateFinding(
  { store, trail, clock }: FindingParts,
  context: RequestContext,
  id: string,
  patch: FindingPatch,
): Promise<Finding> {
  return retryRefused(async () => {
    const known = await findFinding(store, context, 'finding:manage', id);
    checkPrecondition(context.precondition, known);
    const now = clock.now();
    const change = update(findingKind, known, {
      ...patched(known, patch, now),
      updatedAt: timestamp(now),
      updatedBy: context.principal.id,
    });
    const next = change.entity;
    const detail = findingChanges(known, next);
    if (Object.keys(detail).length === 0) {
      await trail.commit(originOf(context), [
        findingEvent('finding.read', id, { detail: { unchanged: 'true' } }),
      ]);
      return known;
    }
    if (known.state === 'closed' && next.state !== 'open') throw closed(known);
    if (next.owner !== known.owner) await demandMember(store, known.workspaceId, next.owner);
    await trail.commit(originOf(context), [
      findingEvent(actionOf(known, next), id, { detail, changes: [change] }),
    ]);
    return next;
  });
}

function patched(known: Finding, patch: FindingPatch, now: number) {
  const { title = known.title, description = known.description, severity = known.severity } = patch;
  const { state = known.state } = patch;
  const owner = patch.owner === undefined ? known.owner : (patch.owner ?? undefined);
  const dueDate = patch.dueDate === undefined ? known.dueDate : (patch.dueDate ?? undefined);
  const isNew = state !== known.state;
  if (state === 'accepted' && (isNew || dueDate !== known.dueDate)) demandAcceptanceEnd(dueDate, now);
  return {
    title,
    description,
    severity,
    owner,
    dueDate,
    state,
    reason: reasonFor(state, patch.reason, isNew ? undefined : known.reason),
    closedAt: state === 'closed' ? (isNew ? timestamp(now) : known.closedAt) : undefined,
  };
}

function demandAcceptanceEnd(dueDate: string | undefined, now: number): void {
  if (dueDate !== undefined && dueDate >= dayOf(now)) return;
  throw invalid('dueDate', 'must say until when it is accepted: today or later');
}

function reasonFor(state: FindingState, given: string | undefined, kept: string | undefined) {
  const needsReason = state === 'accepted' || state === 'closed';
  if (!needsReason && given !== undefined) {
    throw invalid('reason', 'belongs to a finding that is accepted or closed');
  }
  const reason = given ?? kept;
  if (needsReason && reason === undefined) throw invalid('reason', `must say why it is ${state}`);
  return needsReason ? reason : undefined;
}

function closed({ closedAt = '' }: Finding): VaultError {
  return new VaultError(
    'finding_closed',
    `This finding was closed at ${closedAt}. Open it again with "state": "open" before you change it.`,
  );
}

function actionOf(before: Finding, after: Finding) {
  if (after.state === 'closed') return 'finding.closed';
  return before.state === 'closed' ? 'finding.opened' : 'finding.updated';
}
