import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { filteredPage } from '../kernel/filtered-page.ts';
import type { Page } from '../kernel/store.ts';
import type { FindingParts } from './finding-parts.ts';
import { type Risk, type RiskState, riskKind, riskList, type Treatment } from './risk.ts';
import { findRisk, riskEvent } from './risk-parts.ts';

/** One risk of the workspace's register. */
export async function getRisk(parts: FindingParts, context: RequestContext, id: string): Promise<Risk> {
  const risk = await findRisk(parts.store, context, 'finding:read', id);
  await parts.trail.commit(originOf(context), [riskEvent('risk.read', id)]);
  return risk;
}

export interface RiskFilter {
  readonly state?: RiskState | undefined;
  readonly treatment?: Treatment | undefined;
  readonly owner?: string | undefined;
}

/** The workspace's risk register, oldest first. A page may be short, or even empty, and still have a `next`. */
export async function listRisks(
  { store, trail }: FindingParts,
  context: RequestContext,
  { state, treatment, owner }: RiskFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Risk>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'finding:read');
  const fits = (risk: Risk): boolean =>
    (state === undefined || risk.state === state) &&
    (treatment === undefined || risk.treatment === treatment) &&
    (owner === undefined || risk.owner === owner);
  const listed = await filteredPage(store, riskKind, { list: riskList(workspaceId) }, fits, page);
  await trail.commit(originOf(context), [
    {
      action: 'risk.listed',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { count: String(listed.items.length) },
    },
  ]);
  return listed;
}
