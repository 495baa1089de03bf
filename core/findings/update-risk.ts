import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { fieldChanges, type ToldFields } from './field-changes.ts';
import { demandMember, type FindingParts } from './finding-parts.ts';
import { type Risk, type RiskState, riskKind, type Treatment } from './risk.ts';
import { demandFindings, findRisk, riskEvent } from './risk-parts.ts';

/** What to change; null takes a field away. */
export interface RiskPatch {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly likelihood?: number | undefined;
  readonly impact?: number | undefined;
  readonly treatment?: Treatment | undefined;
  readonly owner?: string | null | undefined;
  readonly reviewDate?: string | null | undefined;
  readonly state?: RiskState | undefined;
  readonly findings?: readonly string[] | undefined;
}

const TOLD: ToldFields<Risk> = {
  values: ['state', 'likelihood', 'impact', 'treatment', 'owner', 'reviewDate'],
  names: ['title', 'description', 'findings'],
};

/**
 * Judges a risk anew, closes it or opens it again. What changes nothing leaves a row that it was read.
 *
 * @throws VaultError `invalid_request`, `precondition_failed`; `concurrent_change` when somebody else judged it at the same
 * moment: their judgement is worth a look before it is written over.
 */
export async function updateRisk(
  { store, trail, clock }: FindingParts,
  context: RequestContext,
  id: string,
  { owner, reviewDate, findings, ...patch }: RiskPatch,
): Promise<Risk> {
  const known = await findRisk(store, context, 'finding:manage', id);
  checkPrecondition(context.precondition, known);
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const change = update(riskKind, known, {
    ...given,
    ...(owner === undefined ? {} : { owner: owner ?? undefined }),
    ...(reviewDate === undefined ? {} : { reviewDate: reviewDate ?? undefined }),
    ...(findings === undefined ? {} : { findings: [...findings] }),
    updatedAt: timestamp(clock.now()),
    updatedBy: context.principal.id,
  });
  const next = change.entity;
  const detail = fieldChanges(known, next, TOLD);
  if (Object.keys(detail).length === 0) {
    await trail.commit(originOf(context), [riskEvent('risk.read', id, { detail: { unchanged: 'true' } })]);
    return known;
  }
  if (next.owner !== known.owner) await demandMember(store, known.workspaceId, next.owner);
  if (findings !== undefined) await demandFindings(store, known.workspaceId, findings);
  await trail.commit(originOf(context), [riskEvent('risk.updated', id, { detail, changes: [change] })]);
  return next;
}
