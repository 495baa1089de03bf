import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { filteredPage } from '../kernel/filtered-page.ts';
import type { Page } from '../kernel/store.ts';
import {
  type Finding,
  type FindingState,
  findingKind,
  findingList,
  isOverdue,
  type Severity,
} from './finding.ts';
import { type FindingParts, findFinding, findingEvent } from './finding-parts.ts';

/** One finding of the workspace. */
export async function getFinding(parts: FindingParts, context: RequestContext, id: string): Promise<Finding> {
  const finding = await findFinding(parts.store, context, 'finding:read', id);
  await parts.trail.commit(originOf(context), [findingEvent('finding.read', id)]);
  return finding;
}

export interface FindingFilter {
  readonly state?: FindingState | undefined;
  readonly severity?: Severity | undefined;
  readonly owner?: string | undefined;
  readonly overdue?: boolean | undefined;
}

/** The workspace's findings, oldest first. A page may be short, or even empty, and still have a `next`. */
export async function listFindings(
  { store, trail, clock }: FindingParts,
  context: RequestContext,
  filter: FindingFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Finding>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'finding:read');
  const now = clock.now();
  const query = { list: findingList(workspaceId) };
  const listed = await filteredPage(store, findingKind, query, (one) => fits(one, filter, now), page);
  await trail.commit(originOf(context), [
    {
      action: 'finding.listed',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { count: String(listed.items.length) },
    },
  ]);
  return listed;
}

function fits(finding: Finding, { state, severity, owner, overdue }: FindingFilter, now: number): boolean {
  return (
    (state === undefined || finding.state === state) &&
    (severity === undefined || finding.severity === severity) &&
    (owner === undefined || finding.owner === owner) &&
    (overdue === undefined || isOverdue(finding, now) === overdue)
  );
}
