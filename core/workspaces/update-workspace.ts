import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { update } from '../kernel/entity.ts';
import { demandRetention } from '../plans/demand.ts';
import type { PlanName } from '../plans/plan.ts';
import { openWorkspace } from './in-open-workspace.ts';
import { type IdentityPolicy, type Workspace, workspaceKind } from './workspace.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail'> & {
  /** The plan of workspaces that were assigned none. */
  readonly defaultPlan: PlanName;
};

export interface WorkspacePatch {
  readonly name?: string | undefined;
  readonly policy?: { readonly [K in keyof IdentityPolicy]?: IdentityPolicy[K] | undefined } | undefined;
  readonly auditRetentionDays?: number | undefined;
}

/**
 * Changes the workspace's name, what it demands of its people, and how long it keeps its audit rows; what the patch does
 * not name stays as it is. A demand holds from everybody's next request on, the caller's included: whoever does not meet
 * it is asked to.
 *
 * @throws VaultError `precondition_failed`; `plan_limit_exceeded`; `concurrent_change`.
 */
export async function updateWorkspace(
  { store, trail, defaultPlan }: Parts,
  context: RequestContext,
  { name, policy = {}, auditRetentionDays }: WorkspacePatch,
): Promise<Workspace> {
  const { principal } = context;
  authorize(principal, 'workspace:update');
  const workspace = await openWorkspace(store, principal.workspaceId);
  checkPrecondition(context.precondition, workspace);
  if (auditRetentionDays !== undefined) demandRetention(workspace, defaultPlan, auditRetentionDays);
  const changed = update(workspaceKind, workspace, {
    name: name ?? workspace.name,
    auditRetentionDays: auditRetentionDays ?? workspace.auditRetentionDays,
    policy: {
      requireMfa: policy.requireMfa ?? workspace.policy.requireMfa,
      passwordProfile: policy.passwordProfile ?? workspace.policy.passwordProfile,
      breachUnavailable: policy.breachUnavailable ?? workspace.policy.breachUnavailable,
    },
  });
  // The name may tell more than the trail should.
  const told = Object.entries({ ...policy, auditRetentionDays }).filter(([, value]) => value !== undefined);
  const fields = [...(name === undefined ? [] : ['name']), ...told.map(([field]) => field)];
  await trail.commit(originOf(context), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: workspace.id },
      result: 'success',
      detail: {
        fields: fields.join(','),
        ...Object.fromEntries(told.map(([field, value]) => [field, String(value)])),
      },
      changes: [changed],
    },
  ]);
  return changed.entity;
}
